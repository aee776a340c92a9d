"""What programs may know of the gateway: devices, control points, limits, health; in full."""

import math
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from flexedge import __version__
from flexedge.domain.schedule import Clamped, Outcome, Refused, Released, Unreachable
from flexedge.errors import RequestError
from flexedge.gateway.asked import Override, Tightening
from flexedge.gateway.explained import Explained
from flexedge.gateway.gateway import Gateway
from flexedge.gateway.health import Alarm
from flexedge.gateway.plant import Unit
from flexedge.gateway.view import DeviceView, OutcomeName, Status
from flexedge.wire import gateway as told

_OUTCOMES: dict[type[Outcome], OutcomeName] = {
    Clamped: "clamped",
    Refused: "refused",
    Unreachable: "unreachable",
    Released: "released",
}
_FLOORS: Final = {
    "control": "dispatch", "release": "dispatch", "note": "dispatch", "held": "dispatch",
    "overrides": "dispatch", "plan": "plan", "plan-store": "store", "loop": "daemon",
    "clock": "daemon", "centre": "sync",
}  # fmt: skip
"""By the first word of an alarm's name, whose it is; all others are about the store."""


class Edge:
    """Put together on demand from the gateway's parts. Safe to use from any thread."""

    def __init__(self, gateway: Gateway, now: Callable[[], datetime], speed: float) -> None:
        self.gateway = gateway
        self._now = now
        self._speed = speed
        self._began = now()
        self._explained = Explained(gateway.plant)

    def plan(self) -> told.PlanTold:
        """The plan in force, step by step, and why it is as it is."""
        planner = self.gateway.planner
        _, plan = planner.in_force(self._now())
        return self._explained.told(self.gateway.dispatcher.rung, plan, planner.trouble)

    def about(self) -> told.About:
        """What this gateway is."""
        gateway, now = self.gateway, self._now()
        site = gateway.plant.site
        return told.About(
            version=__version__, mode="site", site=site.site.name, timezone=site.site.timezone,
            currency=gateway.plant.currency, now=now, started=self._began,
            uptime_s=(now - self._began).total_seconds(),
            clock=told.Clock(trusted=gateway.health.time_known, speed=self._speed),
            devices=len(site.devices), alarms=len(gateway.health.alarms),
        )  # fmt: skip

    def health(self) -> told.HealthTold:
        """How it fares, floor by floor."""
        health, now = self.gateway.health, self._now()
        by_floor: dict[str, list[Alarm]] = {}
        for alarm in (*health.raised, *self._away(now)):
            floor = _FLOORS.get(alarm.about.partition(" ")[0], "store")
            by_floor.setdefault("drivers" if alarm.about.startswith("device ") else floor, []).append(alarm)  # fmt: skip  # noqa: E501
        names = ("drivers", "store", "plan", "dispatch", "daemon", "sync")
        floors = {name: _floor(by_floor.get(name, ())) for name in names}
        counts = health.counts
        return told.HealthTold(
            status="alarm" if by_floor else "ok",
            loops=dict(health.beats),
            counts=told.CountsTold(
                written=counts.written, verified=counts.verified, clamped=counts.clamped,
                refused=counts.refused, plans=counts.plans, plans_failed=counts.infeasible,
                errors=counts.errors,
            ),
            **floors,
        )  # fmt: skip

    def _away(self, now: datetime) -> Iterable[Alarm]:
        """Devices that have not answered for a while."""
        for name in self.gateway.plant.site.devices:
            health = self.gateway.health.device(name)
            if health.state(now) == "lost":
                words = health.error or "does not answer"
                yield Alarm(f"device {name}", words, health.last_ok or health.first_tried)

    def devices(self, status: Status) -> tuple[told.DeviceTold, ...]:
        """Every device, as ``status`` has them, with its control points."""
        leases, now = self.gateway.state.held(), self._now()
        return tuple(
            told.DeviceTold(
                name=one.name, title=one.title, state=one.state, age_s=one.age_s, error=one.error,
                polls=one.polls, failures=one.failures, assets=self._assets_of(one),
                points=tuple(
                    told.PointTold(sensor=point.sensor, value=_finite(point.value),
                                   unit=point.unit, quality=point.quality, age_s=point.age_s)
                    for point in one.points
                ),
                controls=tuple(
                    self.control(unit, leases, now) for unit in self.gateway.plant.controlled
                    if unit.asset.device == one.name
                ),
            )
            for one in status.devices
        )  # fmt: skip

    def _assets_of(self, device: DeviceView) -> tuple[str, ...]:
        units = self.gateway.plant.units
        return tuple(unit.name for unit in units if unit.asset.device == device.name)

    def controls(self) -> tuple[told.ControlTold, ...]:
        """Every control point with its last setpoint."""
        leases, now = self.gateway.state.held(), self._now()
        return tuple(self.control(unit, leases, now) for unit in self.gateway.plant.controlled)

    def control(self, unit: Unit, leases: dict[str, datetime], now: datetime) -> told.ControlTold:
        """One control point."""
        held, control = self.gateway.dispatcher.held(unit.name), unit.control
        if control is None or unit.asset.device is None:
            raise RequestError(409, f"{unit.name} cannot be controlled.")
        outcome, setpoint = held.outcome, held.setpoint
        why = outcome.why if isinstance(outcome, Refused | Released | Unreachable) else None
        reason = "" if setpoint is None else setpoint.reason
        override = self.gateway.overrides.of(unit.name, now)
        return told.ControlTold(
            asset=unit.name, device=unit.asset.device, control=control.name, kind=control.kind,
            leased=setpoint is not None,
            leased_since=leases.get(f"{unit.asset.device}.{control.name}"),
            setpoint_kw=None if setpoint is None else setpoint.power_kw,
            until=None if setpoint is None else setpoint.until,
            wanted_kw=held.wanted_kw if setpoint is not None else None,
            outcome=_OUTCOMES.get(type(outcome), "applied"), verified=held.verified,
            reason=reason if why is None else why,
            clamped_by=held.by if isinstance(outcome, Clamped) else (), at=held.at,
            limits=self.limits_of(unit, now),
            override=None if override is None else override.number,
        )  # fmt: skip

    def limits_of(self, unit: Unit, now: datetime) -> tuple[told.LimitTold, ...]:
        """What an asset's power is limited to, by who says so, in the order of the clamp chain."""
        found = []
        if unit.control is not None and unit.control.range_kw is not None:
            found.append(_limit("profile", unit.control.range_kw))
        found.append(_limit("installer", unit.range_kw))
        temporary = self.gateway.overrides.limits_of(unit.name, now)
        return (*found, *(_drawn(one) for one in temporary))

    def limits(self) -> told.SiteLimits:
        """Every limit that holds now."""
        gateway, now = self.gateway, self._now()
        most_import, most_export = gateway.grid.limits_kw(now)
        site = (_limit("installer", (-most_export, most_import)),
                *(_drawn(one) for one in gateway.overrides.limits_of(None, now)))  # fmt: skip
        return told.SiteLimits(
            site=site,
            assets={unit.name: self.limits_of(unit, now) for unit in gateway.plant.controlled},
            temporary=tuple(limit_made(one) for one in gateway.overrides.limits(now)),
        )

    def overrides(self) -> tuple[told.OverrideTold, ...]:
        """Every override that has not ended, and what comes of it."""
        return tuple(
            told.OverrideTold(**self.override_fields(one))
            for one in self.gateway.overrides.overrides(self._now())
        )

    def override_fields(self, one: Override) -> dict[str, object]:
        """An override as it is told."""
        gateway, now = self.gateway, self._now()
        leases = gateway.state.held()
        mine = (unit for unit in gateway.plant.controlled if unit.name == one.asset)
        unit = next(mine, None)  # the site file may have lost it since
        return {
            "id": one.number, "asset": one.asset, "action": one.action, "power_kw": one.power_kw,
            "since": one.since, "until": one.until, "who": one.who, "why": one.why,
            "in_force": gateway.overrides.of(one.asset, now) == one and unit is not None,
            "control": None if unit is None else self.control(unit, leases, now),
        }  # fmt: skip


def limit_made(one: Tightening) -> told.LimitMade:
    """A temporary limit as it is told."""
    return told.LimitMade(
        id=one.number, asset=one.asset, since=one.since, until=one.until, who=one.who, why=one.why,
        most_consumption_kw=one.high_kw,
        most_production_kw=None if one.low_kw is None else -one.low_kw,
    )  # fmt: skip


def _floor(alarms: Iterable[Alarm]) -> told.FloorTold:
    mine = tuple(told.AlarmTold(name=a.about, message=a.message, since=a.since) for a in alarms)
    return told.FloorTold(ok=not mine, alarms=mine)


def _limit(by: str, range_kw: tuple[float, float]) -> told.LimitTold:
    return told.LimitTold(by=by, low_kw=_finite(range_kw[0]), high_kw=_finite(range_kw[1]))


def _drawn(one: Tightening) -> told.LimitTold:
    return told.LimitTold(by=one.who, low_kw=one.low_kw, high_kw=one.high_kw, until=one.until)


def _finite(value: float | None) -> float | None:
    """A value as JSON can have it."""
    return value if value is not None and math.isfinite(value) else None
