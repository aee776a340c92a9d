"""The question for a schedule of this site, as a centre is asked it, and whom the answer is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flexedge.domain.series import TimeGrid, floor
from flexedge.domain.variable import DataReference, fixed
from flexedge.gateway.gateway import Gateway
from flexedge.gateway.plant import Unit
from flexedge.gateway.service.inventory import SITE
from flexedge.gateway.sync.duty import links_of
from flexedge.gateway.sync.verified import Body, Stock

Json = dict[str, Any]
LONGEST: Final = timedelta(hours=48)
"""The farthest a FlexMeasures server plans if nobody says otherwise there."""
_NOTHING: Final = "0 kW"


@dataclass(frozen=True, slots=True)
class There:
    """What is what at the centre."""

    site: int
    """The number of the site's asset."""
    sensors: Mapping[str, int]
    """The numbers of assets' power sensors, by what we call the asset."""
    step: timedelta
    """How long one value of them holds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One asset that a schedule is wanted for: its sensor there, and what the asset can do."""

    sensor: int
    body: Body


@dataclass(frozen=True, slots=True)
class Question:
    """A schedule to be asked for."""

    site: int
    body: Json
    """FlexMeasures' trigger."""
    wanted: tuple[Wanted, ...]
    step: timedelta
    lacking: Mapping[str, str]
    """Assets that cannot be asked about now, and why; "" where nothing is wrong with that."""


def there(gateway: Gateway, centre: int, finest: timedelta) -> There | None:
    """What a centre calls the site and its assets; None while that is not linked.

    ``finest``: how long a value holds where nobody said it.
    """
    state, plant = gateway.state, gateway.plant
    links = state.links.all()
    known = links_of(links, centre)
    roots = (number for number, one in state.assets.all().items() if one.defined_as == SITE)
    site = next((known[key] for root in roots if (key := ("asset", root, "")) in known), None)
    if site is None:
        return None
    numbers = {sensor.name: number for number, sensor in state.sensors().items()}
    found = {
        unit.name: links[known[key]]
        for unit in plant.controlled
        if (key := ("sensor", numbers.get(unit.power, 0), "")) in known
    }
    said = [float(one.details.get("resolution") or 0.0) for one in found.values()]
    step = timedelta(seconds=max(said, default=0.0))
    sensors = {name: one.central_id for name, one in found.items()}
    return There(links[site].central_id, sensors, step or finest)


def question(gateway: Gateway, at: There, now: datetime, horizon: timedelta) -> Question:
    """What is asked for now: all storages, so that none is taken for bottomless.

    Schedules are wanted of those alone that the centre is to plan. What is stored there about them
    is completed by what only we know: what is stored in them, what they can do now, by when they
    shall be ready.
    """
    start = floor(now, at.step)
    grid = TimeGrid.covering(start, start + min(horizon, LONGEST), at.step)
    entries, wanted, lacking = [], [], {}
    for unit in (one for one in gateway.plant.controlled if one.stores and one.name in at.sensors):
        why = _unknown(gateway, unit, now)
        asked = _entry(gateway, unit, grid, now) if why is None else _idle(gateway, unit, now)
        entries.append({"sensor": at.sensors[unit.name], **asked})
        if unit.asset.planner == "local":
            continue
        if why is not None:
            lacking[unit.name] = why
        else:
            wanted.append(Wanted(at.sensors[unit.name], body_of(gateway, unit, now)))
    for unit in gateway.plant.controlled:
        if unit.asset.planner != "local" and unit.name not in at.sensors:
            lacking[unit.name] = "its power is not linked: flexedge link makes what is missing"
    body = {
        "start": start.isoformat(),
        "duration": f"PT{grid.n * at.step / timedelta(minutes=1):g}M",
        "prior": now.isoformat(),
        "flex-model": entries,
    }
    return Question(at.site, body, tuple(wanted), at.step, lacking)


def _unknown(gateway: Gateway, unit: Unit, now: datetime) -> str | None:
    """What keeps a storage out of the question; "": there is no car, and nothing to be said."""
    if unit.vehicle and gateway.storages.plugged(unit, now) is False:
        return ""
    if unit.vehicle and gateway.storages.plugged(unit, now) is None:
        return "nobody knows whether a car is there"
    if unit.soc_max_kwh is None or gateway.storages.soc_kwh(unit, now) is None:
        return "its state of charge is not known"
    return None


def _idle(gateway: Gateway, unit: Unit, now: datetime) -> Json:
    """Of a storage that nobody knows enough about: it does nothing in that plan.

    FlexMeasures wants to know what is in it all the same, where it knows of a sensor for that.
    """
    soc = gateway.storages.soc_kwh(unit, now)
    return {
        "soc-at-start": _kwh(unit.soc_min_kwh if soc is None else soc),
        "soc-usage": [_NOTHING],
        "consumption-capacity": _NOTHING,
        "production-capacity": _NOTHING,
    }


def _entry(gateway: Gateway, unit: Unit, grid: TimeGrid, now: datetime) -> Json:
    soc = gateway.storages.soc_kwh(unit, now) or 0.0
    told: Json = {  # FlexMeasures has no plan for what begins outside its band
        "soc-at-start": _kwh(soc),
        "soc-min": _kwh(min(unit.soc_min_kwh, soc)),
        "soc-max": _kwh(max(unit.soc_max_kwh or 0.0, soc)),
    }
    low, high = gateway.overrides.range_kw(unit, now)
    model = unit.model
    for key, limit, said in (
        ("consumption-capacity", high, model.consumption_capacity),
        ("production-capacity", -low, model.production_capacity),
    ):
        if limit < float("inf") and not isinstance(said, DataReference):
            told[key] = f"{max(limit, 0.0) + 0.0:.9g} kW"
    minima = gateway.storages.minima(unit, grid, now)
    if minima:
        told["soc-minima"] = [
            {"datetime": one.at.isoformat(), "value": _kwh(one.soc_kwh)} for one in minima
        ]
    return told


def _kwh(energy: float) -> str:
    return f"{energy:.9g} kWh"


def body_of(gateway: Gateway, unit: Unit, now: datetime) -> Body:
    """What an asset can do now, for the check of what comes back."""
    ramps = unit.model.ramp_up_limit, unit.model.ramp_down_limit
    limits = gateway.overrides.range_kw(unit, now)
    return Body(unit.name, limits, *ramps, _stock(gateway, unit, now))


def _stock(gateway: Gateway, unit: Unit, now: datetime) -> Stock | None:
    """What its storage holds; None where other assets, or sensors, have a say in that too."""
    soc, full, model = gateway.storages.soc_kwh(unit, now), unit.soc_max_kwh, unit.keeper.flex_model
    shared = sum(other.keeper is unit.keeper for other in gateway.plant.units) > 1
    flows = (*model.soc_usage, *model.soc_gain)
    ways = model.charging_efficiency, model.discharging_efficiency, model.storage_efficiency
    if shared or any(isinstance(one, DataReference) for one in (*flows, *ways)):
        return None
    if soc is None or full is None or model.part_load_efficiency:
        return None
    usage = sum(fixed(one) or 0.0 for one in model.soc_usage)
    gain = sum(fixed(one) or 0.0 for one in model.soc_gain)
    keep = fixed(model.storage_efficiency)
    return Stock(
        soc, unit.soc_min_kwh, full, *unit.model.efficiencies(), usage - gain,
        1.0 if keep is None else keep,
    )  # fmt: skip
