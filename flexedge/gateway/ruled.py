"""The local rule on this site: what is sensible without a plan."""

from collections.abc import Collection, Mapping
from datetime import datetime

from flexedge.gateway.measured import Measured, batteries
from flexedge.gateway.overrides import Overrides
from flexedge.gateway.plant import Plant
from flexedge.gateway.storages import Storages
from flexedge.optim import rule

_KINDS: dict[str, rule.Kind] = {
    "battery": "battery",
    "two-way_evse": "ev",
    "one-way_evse": "ev",
    "heat-storage": "heat",
    "solar": "pv",
}


class Ruled:
    """Applies the rule to what is measured. Has no memory."""

    def __init__(self, plant: Plant, storages: Storages, overrides: Overrides) -> None:
        self._plant = plant
        self._storages = storages
        self._overrides = overrides

    def powers(
        self, measured: Measured, theirs: Collection[str], now: datetime
    ) -> Mapping[str, float | None]:
        """The power of each asset in kW; None, or no entry: it is left to itself.

        What others decide about (``theirs``) is none of the rule's business: no battery works
        against theirs.
        """
        situations = {
            unit.name: rule.Situation(
                kind=_KINDS[unit.asset.type],
                power_kw=measured.units_kw[unit.name],
                soc_kwh=self._storages.soc_kwh(unit, now),
                min_kw=self._overrides.range_kw(unit, now)[0],
                max_kw=self._overrides.range_kw(unit, now)[1],
                soc_min_kwh=unit.soc_min_kwh,
                soc_max_kwh=unit.soc_max_kwh,
            )
            for unit in self._plant.controlled
            if unit.asset.type in _KINDS
            and unit.name not in theirs
            and (not unit.vehicle or self._storages.plugged(unit, now))
        }
        grid_kw = measured.grid_kw
        if grid_kw is not None:
            others = [unit.name for unit in batteries(self._plant) if unit.name in theirs]
            grid_kw -= sum(measured.units_kw[name] or 0.0 for name in others)
        return rule.rule(situations, grid_kw)
