"""How readings of each sensor become values of its events, where nobody says otherwise."""

from collections.abc import Mapping
from datetime import timedelta

from flexedge.config.sensors import AVAILABLE, DISPATCHED
from flexedge.gateway.derive import WINDOW
from flexedge.gateway.plant import GRID, Plant
from flexedge.store.events import Method, Rule

STEP = timedelta(minutes=5)
"""How long events are, and how far states are apart."""
_QUICK = timedelta(seconds=20)
"""What is polled more often is treated as if it were not, so that most sensors share a rule."""
_METHODS: Mapping[str, Method] = {"kW": "mean", "V": "mean", "A": "mean", "Hz": "mean",
                                  "kWh": "counter"}  # fmt: skip
"""By unit. Everything else (%, degC, modes, plugs, prices) is a state."""


def rules_of(plant: Plant) -> dict[str, Rule]:
    """A rule for each sensor that gets readings.

    Not for prices, what comes from a centre, and what solar assets may give: nobody reads these.

    Power, voltage, current and frequency are means over 5 minutes, meters in kWh are read at both
    ends of 5 minutes; what a storage holds, temperatures, plugs and modes are states, 5 minutes
    apart.
    """
    foreseen = {f"{unit.name}.{AVAILABLE}" for unit in plant.units}
    names = plant.sensors.keys() - plant.site.prices.keys() - plant.coming.keys() - foreseen
    return {name: _rule(plant, name) for name in sorted(names)}


def _rule(plant: Plant, sensor: str) -> Rule:
    asset, _, quantity = sensor.rpartition(".")
    if quantity == "heat-demand" and sensor not in plant.every:
        return Rule("mean", WINDOW, WINDOW)
    if quantity == DISPATCHED:
        return Rule("mean", STEP, _QUICK)
    known = plant.sensors[sensor]
    method = _METHODS.get(known.unit, "state")
    if quantity.startswith("soc"):
        method = "state"
    every = plant.every.get(sensor) or _every_of_derived(plant, asset, quantity)
    return Rule(method, STEP, max(every, _QUICK), known.turns_at)


def _every_of_derived(plant: Plant, asset: str, quantity: str) -> timedelta:
    """How often what it is derived from is read: the buffer's temperature, or the grid meter."""
    root = f"{asset}.buffer-temperature" if quantity == "soc" else f"{GRID}.power"
    return plant.every.get(root, _QUICK)
