"""From a target to a device: clamp, write, verify, release. Nothing is held without an end."""

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from flexedge.domain.limits import Bound, clamp, gate, ramp_bound, soc_bound
from flexedge.domain.schedule import Applied, Outcome, Refused, Released, Unreachable
from flexedge.drivers.driver import ControlPoint
from flexedge.drivers.line import Release, Request, Write
from flexedge.errors import StoreError
from flexedge.gateway.health import Health
from flexedge.gateway.held import RETRY, STRIKES, Held
from flexedge.gateway.plant import Plant, Unit
from flexedge.gateway.storages import Storages
from flexedge.gateway.targets import Target, Targets
from flexedge.gateway.view import Rung
from flexedge.store.state import State

_log = structlog.get_logger()
TICK = timedelta(seconds=1)
_REST = timedelta(minutes=5)  # how long a device that does not obey is left alone


class Dispatcher:
    """One control tick at a time: ``step``. What lines report comes in from their threads."""

    def __init__(
        self,
        plant: Plant,
        targets: Targets,
        storages: Storages,
        state: State,
        health: Health,
    ) -> None:
        self._plant = plant
        self._targets = targets
        self._storages = storages
        self._state = state
        self._health = health
        self.submit: Callable[[Request], None] = lambda _request: None
        """How requests reach the lines; set before the first step."""
        self.on_step: Callable[[Mapping[str, Held], datetime], None] = lambda _held, _now: None
        """Hears of every control point after each step."""
        self._lock = threading.RLock()
        self._held: dict[str, Held] = {}
        self._releasing: dict[str, datetime | None] = {}
        """Units being given back; a time where a refused release is to be tried again."""
        self._units = {
            (unit.asset.device, unit.control.name): unit
            for unit in plant.controlled
            if unit.control is not None
        }
        self._strays: set[tuple[str, str]] = set()
        """Controls of the last run that nobody controls now, while they are being released."""
        self.rung: Rung = "released"
        self.released = threading.Event()
        """Set while nothing is held."""
        self._ending = False

    def begin(self, now: datetime) -> None:
        """Give back what a crash left behind, before anything else is asked."""
        left = self._state.held()
        with self._lock:
            for (device, control), unit in self._units.items():
                if left.pop(f"{device}.{control}", None) is not None:
                    self._give_back(unit, "left behind by the last run", now)
            for stray in left:
                self._let_stray_go(stray)
            self._note()

    def _let_stray_go(self, stray: str) -> None:
        """Release what the last run held and this one is not to control."""
        device, _, control = stray.partition(".")
        message = f"{stray} was controlled before and is no longer configured"
        self._health.alarm(f"held {stray}", message)
        if device in self._plant.site.devices:
            with contextlib.suppress(KeyError):  # the profile does not know the control any more
                self.submit(Release(device, control, "left behind by the last run"))
                self._strays.add((device, control))

    def step(self, now: datetime) -> datetime:
        """Decide, clamp, write. Returns when to come again."""
        self._targets.overrides.step(now)
        if not self._ending:
            self.rung, targets = self._targets.decide(now)
            self._carry_out(targets, now)
        self.on_step({unit.name: self.held(unit.name) for unit in self._plant.controlled}, now)
        self._health.beat("dispatch", now)
        return now + TICK

    def _carry_out(self, targets: Mapping[str, Target], now: datetime) -> None:
        with self._lock:
            if self._ending:  # since the targets were decided
                return
            for unit in self._plant.controlled:
                self._judge(unit, now)
                self._pursue(unit, targets[unit.name], now)
            self._note()

    def end(self, now: datetime) -> None:
        """Release everything; nothing is written after this. ``released`` tells when it is done."""
        with self._lock:
            self._ending = True
            for unit in self._plant.controlled:
                if self.held(unit.name).setpoint is not None:
                    self._give_back(unit, "flexedge stops", now)
            self._note()

    def held(self, asset: str) -> Held:
        """What is known of an asset's control point."""
        with self._lock:
            return self._held.get(asset, Held())

    def _note(self) -> None:
        if self._releasing or any(held.setpoint is not None for held in self._held.values()):
            self.released.clear()
        else:
            self.released.set()

    def _pursue(self, unit: Unit, target: Target, now: datetime) -> None:
        held = self.held(unit.name)
        if unit.name in self._releasing:
            again = self._releasing[unit.name]
            if again is not None and now >= again:
                why = held.outcome.why if isinstance(held.outcome, Released) else "once more"
                self._give_back(unit, why, now)
            return
        if held.rests_until is not None and now < held.rests_until:
            return
        if target.power_kw is None:
            if held.setpoint is not None:
                self._give_back(unit, target.reason, now)
            elif isinstance(held.outcome, Released):
                self._held[unit.name] = replace(held, outcome=Released(target.reason))
            return
        control = _control(unit)
        clamped_kw, by = self._clamped(unit, control, target, held, now)
        power_kw = held.settled_on(clamped_kw, unit, control, now)
        changed = held.setpoint is None or power_kw != held.setpoint.power_kw
        if changed or held.due_at is None or now >= held.due_at:
            wanted = target.power_kw if target.wanted_kw is None else target.wanted_kw
            self._tell(unit, replace(target, power_kw=power_kw, wanted_kw=wanted, by=by), now)

    def _clamped(
        self, unit: Unit, control: ControlPoint, target: Target, held: Held, now: datetime
    ) -> tuple[float, tuple[str, ...]]:
        """The clamp chain: profile, installer, temporary limits, state of charge, ramp, least."""
        bounds = []
        if control.range_kw is not None:
            bounds.append(Bound("profile", *control.range_kw))
        bounds.append(Bound("installer", *unit.range_kw))
        limit = self._targets.overrides.bound(unit, now)
        if limit is not None:
            bounds.append(limit)
        if unit.asset.type in ("battery", "two-way_evse"):
            soc, full = self._storages.soc_kwh(unit, now), unit.soc_max_kwh
            bounds.append(soc_bound(soc, unit.soc_min_kwh, float("inf") if full is None else full))
        ramp = unit.asset.limits.ramp
        if ramp is not None and held.setpoint is not None and held.written_at is not None:
            seconds = (now - held.written_at).total_seconds()
            bounds.append(ramp_bound(held.setpoint.power_kw, ramp, seconds))
        power_kw, by = clamp(target.power_kw or 0.0, bounds)
        by = (*target.by, *by)
        gated = gate(power_kw, unit.least_kw)
        return (0.0 if by and gated > power_kw else gated), by

    def _tell(self, unit: Unit, target: Target, now: datetime) -> None:
        control, held = _control(unit), self.held(unit.name)
        if held.setpoint is None:
            if not self._noted(unit, lambda key: self._state.hold(key, now), "is not controlled"):
                return
            _log.info("controlled", asset=unit.name, power_kw=target.power_kw)
        told = held.told(target, control, now)
        if told.changed_at == now and target.by:
            self._health.count(clamped=1)
        self._held[unit.name] = told
        power_kw = target.power_kw or 0.0
        self.submit(Write(unit.asset.device or "", control.name, power_kw))

    def _noted(self, unit: Unit, note: Callable[[str], None], otherwise: str) -> bool:
        """Note on disk who is controlled; a disk that fails must not stop the others."""
        about = f"note {unit.name}"
        try:
            note(_key(unit))
        except StoreError as error:
            self._health.alarm(about, f"{unit.name} {otherwise}: {error}")
            return False
        self._health.alarm(about, "")
        return True

    def _give_back(self, unit: Unit, why: str, now: datetime) -> None:
        self._held[unit.name] = self.held(unit.name).let_go(why, now)
        _log.info("released", asset=unit.name, why=why)
        self._releasing[unit.name] = None
        self.submit(Release(unit.asset.device or "", _control(unit).name, why))

    def wrote(self, device: str, control: str, outcome: Outcome, now: datetime) -> None:
        """A write or a release ended; from the line's thread."""
        with self._lock:
            unit = self._units.get((device, control))
            if unit is None:
                if isinstance(outcome, Released) and (device, control) in self._strays:
                    self._strays.discard((device, control))
                    self._state.let_go(f"{device}.{control}")
                    self._health.alarm(f"held {device}.{control}", "")
                return
            held = self.held(unit.name)
            if unit.name in self._releasing:
                self._gave_back(unit, outcome, now)
            elif isinstance(outcome, Applied):
                self._health.count(written=1)
                self._held[unit.name] = held.wrote(now)
            elif isinstance(outcome, Unreachable):
                self._held[unit.name] = held.struck(outcome, now)
            elif isinstance(outcome, Refused):
                self._strike(unit, outcome, now)
            self._note()

    def _gave_back(self, unit: Unit, outcome: Outcome, now: datetime) -> None:
        """What came of a release. The line goes on trying while the device cannot be reached."""
        about = f"release {unit.name}"
        if isinstance(outcome, Released):
            del self._releasing[unit.name]
            self._noted(unit, self._state.let_go, "is released, but noted as controlled")
            self._health.alarm(about, "")
        elif isinstance(outcome, Refused | Unreachable):
            self._health.alarm(about, f"{unit.name} is not released yet: {outcome.why}")
            if isinstance(outcome, Refused):
                self._releasing[unit.name] = now + RETRY

    def shown(self, device: str, shown: Mapping[str, float], now: datetime) -> None:
        """A device shows which power it took; from the line's thread."""
        with self._lock:
            for control, power_kw in shown.items():
                unit = self._units.get((device, control))
                if unit is not None:
                    self._compare(unit, power_kw, now)

    def _compare(self, unit: Unit, shown_kw: float, now: datetime) -> None:
        """Whether what a device shows is what it was told; each write counts once."""
        held = self.held(unit.name)
        written, heard = held.written_at, held.at
        if held.setpoint is None or written is None or heard is None or heard < written:
            return  # the newest write is still under way
        if abs(shown_kw - held.setpoint.power_kw) > _control(unit).readback_tolerance_kw:
            return
        if held.proved_at != held.written_at:
            self._health.count(verified=1)
            self._held[unit.name] = held.showed(now)
        if not held.verified:
            self._health.alarm(f"control {unit.name}", "")

    def _judge(self, unit: Unit, now: datetime) -> None:
        """Strike a device that does not show in time what it was told."""
        held = self.held(unit.name)
        since = held.unshown_since
        if held.setpoint is not None and since is not None and now - since > _control(unit).settle:
            why = f"does not show the {held.setpoint.power_kw:.2f} kW it was told"
            self._strike(unit, Refused(why), now)

    def _strike(self, unit: Unit, outcome: Outcome, now: datetime) -> None:
        held = self.held(unit.name).struck(outcome, now)
        self._held[unit.name] = held
        self._health.count(refused=1)
        why = outcome.why if isinstance(outcome, Refused) else ""
        _log.warning("setpoint not taken", asset=unit.name, strikes=held.strikes, why=why)
        if held.strikes >= STRIKES and held.setpoint is not None:
            self._health.alarm(
                f"control {unit.name}", f"{unit.name} does not obey and is left alone: {why}"
            )
            self._give_back(unit, why, now)
            self._held[unit.name] = replace(
                self._held[unit.name], rests_until=now + _REST, outcome=outcome
            )


def _control(unit: Unit) -> ControlPoint:
    if unit.control is None:  # pragma: no cover - only controlled units come here
        raise ValueError(f"{unit.name} has no control point")
    return unit.control


def _key(unit: Unit) -> str:
    return f"{unit.asset.device}.{_control(unit).name}"
