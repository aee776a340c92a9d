"""What every controlled asset should do now, before the clamp chain: plan, rule, grid guard."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from flexedge.domain.limits import Claim, Worth, follow, gate, share, soc_bound
from flexedge.gateway.asked import Override
from flexedge.gateway.elsewhere import Elsewhere
from flexedge.gateway.grid import Grid
from flexedge.gateway.measured import Measured, batteries
from flexedge.gateway.overrides import LIMIT, Overrides
from flexedge.gateway.plan import Plan, Planner
from flexedge.gateway.plant import Plant, Unit
from flexedge.gateway.ruled import Ruled
from flexedge.gateway.storages import Storages
from flexedge.gateway.view import Rung

_CURTAILED_KW = 0.05  # a plan that leaves less than this of the sun unused does not curtail
_NEAR = 0.5  # of the room there is for the sun: from here on it is told not to give more
_GIVES_WAY = ("battery", "two-way_evse", "one-way_evse", "heat-storage", "process", "solar")


@dataclass(frozen=True, slots=True)
class Target:
    """A power an asset should have, or None: it is left to itself. ``by`` names who cut it."""

    power_kw: float | None
    reason: str
    wanted_kw: float | None = None
    by: tuple[str, ...] = ()


class Targets:
    """Decides each control tick. Has no memory. For the dispatcher's thread."""

    def __init__(
        self,
        plant: Plant,
        grid: Grid,
        storages: Storages,
        planner: Planner,
        overrides: Overrides,
        elsewhere: Elsewhere,
    ) -> None:
        self._plant = plant
        self._grid = grid
        self._storages = storages
        self._planner = planner
        self.overrides = overrides
        self._elsewhere = elsewhere
        self._rule = Ruled(plant, storages, overrides)

    def decide(self, now: datetime) -> tuple[Rung, dict[str, Target]]:
        """The rung of the ladder and a target for each controlled asset."""
        measured = self._grid.measured(now)
        rung, plan = self._planner.in_force(now)
        theirs = self._theirs(now)
        if plan is not None:
            wanted = self._planned(plan, measured, theirs, now)
        elif self._planner.starting(now):
            rung = "released"
            reason = "starting: waits for the first plan"
            wanted = {unit.name: Target(None, reason) for unit in self._plant.controlled}
        elif measured.grid_kw is not None:
            wanted = self._ruled(measured, theirs, now)
        else:
            rung = "released"
            reason = "no plan and no grid meter: left to itself"
            wanted = {unit.name: Target(None, reason) for unit in self._plant.controlled}
        wanted |= theirs
        if any(target.power_kw is not None for target in theirs.values()):
            rung = "central-plan"
        asked = self._overridden(wanted, measured, now)
        return rung, self._limited(self._guarded(asked, measured, now), now)

    def _theirs(self, now: datetime) -> dict[str, Target]:
        """What centres planned, and who is left to itself because they did not."""
        found = {unit.name: self._elsewhere.wanted(unit, now) for unit in self._plant.controlled}
        return {name: Target(*wanted) for name, wanted in found.items() if wanted is not None}

    def _overridden(
        self, wanted: Mapping[str, Target], measured: Measured, now: datetime
    ) -> dict[str, Target]:
        """What people ask of assets takes the place of what they would do otherwise."""
        targets = dict(wanted)
        for unit in self._plant.controlled:
            override = self.overrides.of(unit.name, now)
            if override is not None:
                targets[unit.name] = self._asked(unit, override, measured, now)
        return targets

    def _asked(self, unit: Unit, override: Override, measured: Measured, now: datetime) -> Target:
        """One override as a target; in doubt about the asset it is left to itself."""
        reason = override.sentence(self._plant.zone)
        if override.action == "release":
            return Target(None, reason)
        if override.action == "no-plan":
            ruled = self._ruled(measured, (), now)[unit.name].power_kw
            return Target(None if measured.grid_kw is None else ruled, reason)
        if self._doubtful(unit, now):
            return Target(None, f"{reason}; waits, because nobody knows whether it can")
        power, full = override.power_kw or 0.0, unit.soc_max_kwh
        soc = self._storages.soc_kwh(unit, now) if unit.stores else None
        if power > 0.0 and soc is not None and full is not None and soc >= full:
            return Target(0.0, reason, wanted_kw=power, by=("state of charge",))
        return Target(power, reason)

    def _doubtful(self, unit: Unit, now: datetime) -> bool:
        """Whether a storage that is asked to do something may not be there, or be empty or full.

        What a car holds is its own affair while it only draws.
        """
        if unit.asset.type == "one-way_evse":
            return not self._storages.plugged(unit, now)
        return self._storages.unknown(unit, now)

    def _planned(
        self, plan: Plan, measured: Measured, theirs: Collection[str], now: datetime
    ) -> dict[str, Target]:
        targets = {}
        covered_kw = 0.0  # of what differs from the plan, by the batteries so far
        for unit in (one for one in self._plant.controlled if one.name not in theirs):
            schedule = plan.schedules.get(unit.name)
            power = None if schedule is None else schedule.power_kw.at(now)
            why = plan.why.get(unit.name, "")
            if power is None or self._storages.unknown(unit, now):
                targets[unit.name] = self._unplanned(unit, now)
            elif unit.asset.type == "solar":
                can = plan.can_produce_kw[unit.name].at(now)
                used = can is None or -power >= can - _CURTAILED_KW
                targets[unit.name] = Target(None if used else power, why)
            elif unit.asset.type == "battery":
                follows = power + self._deviation(unit, plan, measured, covered_kw, now)
                if self.overrides.of(unit.name, now) is None:
                    covered_kw += self._battery_claim(unit, follows, now).wanted_kw - power
                targets[unit.name] = Target(follows, why)
            else:
                targets[unit.name] = Target(power, why)
        return targets

    def _unplanned(self, unit: Unit, now: datetime) -> Target:
        """What the plan leaves out: a car that is there charges, within the site's limit."""
        if unit.vehicle and self._storages.plugged(unit, now):
            most = self.overrides.range_kw(unit, now)[1]
            return Target(most, "not in the plan: charges as fast as the site allows")
        return Target(None, "not in the plan: left to itself")

    def _deviation(
        self, unit: Unit, plan: Plan, measured: Measured, covered_kw: float, now: datetime
    ) -> float:
        """How far the battery leaves the plan because the rest of the site does.

        ``covered_kw`` is by how much other batteries do already.
        """
        grid, rest = plan.grid_kw.at(now), measured.rest_kw
        bought, sold = plan.import_price.at(now), plan.export_price.at(now)
        if measured.units_kw[unit.name] is None:
            return 0.0
        if rest is None or grid is None or bought is None or sold is None:
            return 0.0
        schedules = [plan.schedules.get(battery.name) for battery in batteries(self._plant)]
        planned = sum(s.power_kw.at(now) or 0.0 for s in schedules if s is not None)
        kept = plan.stored_value.get(unit.name)
        ways = plan.efficiencies.get(unit.name)
        charging, discharging = unit.model.efficiencies()
        if ways is not None:
            charging, discharging = ways[0].at(now) or charging, ways[1].at(now) or discharging
        worth = Worth(bought, sold, None if kept is None else kept.at(now), charging, discharging)
        return follow(rest + covered_kw - (grid - planned), grid, worth)

    def _guarded(
        self, wanted: Mapping[str, Target], measured: Measured, now: datetime
    ) -> dict[str, Target]:
        """Keep the grid connection within its limits, by what the meter shows."""
        most_import, most_export = self._capacities(now)
        targets = dict(wanted)
        if measured.grid_kw is None:
            if most_import < math.inf:
                targets |= {name: self._blind(name, target) for name, target in wanted.items()}
            return targets | self._dimmed(wanted, (), measured, -most_export)
        claims = self._claims(wanted, measured, now)
        rest = measured.grid_kw - sum(measured.units_kw[claim.name] or 0.0 for claim in claims)
        for before, after in zip(
            claims, share(claims, rest, most_import, most_export), strict=True
        ):
            if after.wanted_kw != before.wanted_kw:
                targets[after.name] = replace(
                    targets[after.name],
                    power_kw=after.wanted_kw,
                    wanted_kw=before.wanted_kw,
                    by=("site limit",),
                )
        return targets | self._dimmed(wanted, claims, measured, -most_export - rest)

    def _dimmed(
        self,
        wanted: Mapping[str, Target],
        claims: Sequence[Claim],
        measured: Measured,
        least_kw: float,
    ) -> dict[str, Target]:
        """Limits for solar assets that give at least half of what there is room for.

        The room does not depend on what they give now, or a limit would go as soon as it is kept:
        it is what is left when all others draw what they can, shared by size. ``least_kw`` is the
        least power (negative: export) that all claims together may come to.
        """
        suns = [unit for unit in self._plant.controlled if unit.asset.type == "solar"]
        names = {unit.name for unit in suns}
        room_kw = least_kw - sum(claim.high_kw for claim in claims if claim.name not in names)
        size_kw = sum(unit.range_kw[0] for unit in suns)
        dimmed = {}
        for unit in suns:
            target, present = wanted[unit.name], measured.units_kw[unit.name]
            most = unit.range_kw[0] if target.power_kw is None else target.power_kw
            limit = min(room_kw * unit.range_kw[0] / size_kw, 0.0) if size_kw else 0.0
            if present is not None and present <= _NEAR * limit and limit > most:
                dimmed[unit.name] = replace(
                    target, power_kw=limit, wanted_kw=most, by=("site limit",)
                )
        return dimmed

    def _limited(self, targets: dict[str, Target], now: datetime) -> dict[str, Target]:
        """Tell solar assets their temporary limits, also where they would be left to themselves.

        All others are told theirs by the clamp chain.
        """
        for unit in self._plant.controlled:
            low, target = self.overrides.range_kw(unit, now)[0], targets[unit.name]
            most = unit.range_kw[0] if target.power_kw is None else target.power_kw
            if unit.asset.type == "solar" and low > most:
                targets[unit.name] = replace(target, power_kw=low, wanted_kw=most, by=(LIMIT,))
        return targets

    def _capacities(self, now: datetime) -> tuple[float, float]:
        """Most import and most export, less the guard's margin."""
        margin = self._plant.site.grid_connection.guard_margin
        most = self._grid.limits_kw(now)
        asked = self.overrides.site(now)
        return max(min(most[0], asked[0]) - margin, 0.0), max(min(most[1], asked[1]) - margin, 0.0)

    def _claims(
        self, wanted: Mapping[str, Target], measured: Measured, now: datetime
    ) -> list[Claim]:
        """Who can give way, in the order in which they do."""
        claims = []
        for unit in sorted(
            self._plant.controlled, key=lambda unit: _GIVES_WAY.index(unit.asset.type)
        ):
            present, target = measured.units_kw[unit.name], wanted[unit.name].power_kw
            if present is None or not unit.electric:
                continue
            if unit.asset.type == "solar":
                power = present if target is None else target
                claims.append(Claim(unit.name, power, power, max(power, 0.0)))
            elif target is not None and unit.asset.type == "battery":
                claim = self._battery_claim(unit, target, now)
                asked = self.overrides.of(unit.name, now)
                by_hand = asked is not None and asked.action != "no-plan"
                claims.append(_towards_zero(claim) if by_hand else claim)
            elif target is not None:
                power = gate(target, unit.least_kw)
                claims.append(Claim(unit.name, power, min(power, 0.0), power))
        return claims

    def _battery_claim(self, unit: Unit, wanted_kw: float, now: datetime) -> Claim:
        low, high = self.overrides.range_kw(unit, now)
        soc, full = self._storages.soc_kwh(unit, now), unit.soc_max_kwh
        bound = soc_bound(soc, unit.soc_min_kwh, math.inf if full is None else full)
        low, high = max(low, bound.low_kw), min(high, bound.high_kw)
        wanted = min(max(wanted_kw, low), high)
        return Claim(unit.name, wanted, low, high)

    def _blind(self, name: str, target: Target) -> Target:
        """Without a grid meter nobody may push the connection towards its limit."""
        unit = self._plant.unit(name)
        if target.power_kw is None or unit.control is None:
            return target
        most = {"battery": 0.0, "two-way_evse": 0.0, "one-way_evse": unit.control.least_kw}
        if unit.asset.type not in most or target.power_kw <= most[unit.asset.type]:
            return target
        return replace(
            target,
            power_kw=most[unit.asset.type],
            wanted_kw=target.power_kw,
            by=("no grid meter",),
        )

    def _ruled(
        self, measured: Measured, theirs: Collection[str], now: datetime
    ) -> dict[str, Target]:
        powers = self._rule.powers(measured, theirs, now)
        reason = "no plan: the local rule holds"
        return {unit.name: Target(powers.get(unit.name), reason) for unit in self._plant.controlled}


def _towards_zero(claim: Claim) -> Claim:
    """What a person asks for gives way by doing less of it, never by doing the opposite."""
    low = max(claim.low_kw, min(claim.wanted_kw, 0.0))
    return replace(claim, low_kw=low, high_kw=min(claim.high_kw, max(claim.wanted_kw, 0.0)))
