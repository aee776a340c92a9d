"""A single task (FlexMeasures' process): placed by its prices, without a solver."""

from typing import Any

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim import process
from flexedge.optim.device import Process
from flexedge.optim.request import merge, terms
from flexedge.optim.request.amounts import Reader
from flexedge.optim.request.answer import iso
from flexedge.optim.request.devices import task_of
from flexedge.optim.request.entries import PROCESS_FIELDS, Entry
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.frame import frame
from flexedge.optim.request.source import Sensor, Source, parse_unit

_TYPES = ("process", "load")
_KNOWN = {"process-type", "optimization-sense", "time-restrictions"}
Json = dict[str, Any]


def task(whole: Fields, request: Fields, source: Source, *, explain: bool = True) -> Json | None:
    """The answer for a request for one task, or None where it asks for something else."""
    model = request.data.get("flex-model")
    if not isinstance(model, dict):
        return None
    fields = Fields(model, "flex-model")
    sensor = _sensor(fields, request, whole, source)
    fields = _over_stored(fields, sensor, source)
    if not _KNOWN & set(fields.data) and (sensor is None or sensor.asset_type not in _TYPES):
        return None
    fields.refuse_unknown((*PROCESS_FIELDS, "sensor", "asset"))
    if sensor is None:
        fields.fail("sensor", "is missing: which sensor shall be scheduled?")
    named = Fields({**fields.data, "sensor": sensor.name}, fields.path, fields.origins)
    prior = request.moment("prior") if request.has("prior") else None
    reader = Reader(source, frame(whole, request, source, [named]), prior)
    context = merge.context(request, source, sensor.asset)
    price = _price(context, reader)
    entry = Entry(named, sensor.name, sensor, None, None, None, None, "electricity", None)
    wanted = task_of(named, entry, reader)
    sense: process.Sense = (
        "MAX" if named.one_of("optimization-sense", ("MIN", "MAX"), "MIN") == ("MAX") else "MIN"
    )
    running = _placed(named, wanted, price, sense)
    told = _told(wanted, running, price, sensor, reader, request)
    if explain:
        told["explanation"] = _explanation(wanted, running, price, sense, reader, request)
    return told


def _over_stored(fields: Fields, sensor: Sensor | None, source: Source) -> Fields:
    """What is sent over what is stored for the sensor's asset."""
    stored = None if sensor is None else source.assets.get(sensor.asset)
    if stored is None:
        return fields
    below = stored.flex_model
    origins = {key: below.path for key in below.data if key not in fields.data}
    return Fields({**below.data, **fields.data}, fields.path, origins)


def _price(context: Fields, reader: Reader) -> FloatArray:
    site = terms.terms(context, reader).by_commodity["electricity"]
    price = terms.price(site, "consumption-price", reader)
    if price is None:
        site.fail("consumption-price", "is missing")
    return price


def _placed(
    fields: Fields, wanted: Process, price: FloatArray, sense: process.Sense
) -> process.BoolArray:
    """When the task runs. Raises ``BadField`` where there is no room for it."""
    said = (key for key in ("deadline", "time-restrictions", "runs") if fields.has(key))
    key = next(said, "duration")
    if wanted.slots * wanted.runs >= len(price) and not wanted.allowed.all():
        fields.fail(key, "leaves no room: the task is as long as the schedule")
    running = process.place(wanted.kind, wanted.slots, price, wanted.allowed, sense, wanted.runs)
    if running is None:
        fields.fail(key, "leaves no room for the task")
    return running


def _told(
    wanted: Process, running: process.BoolArray, price: FloatArray, sensor: Sensor,
    reader: Reader, request: Fields,
) -> Json:  # fmt: skip
    grid = reader.grid
    kw = np.where(running, wanted.power_kw, 0.0)
    cost = float(price @ kw) * grid.hours
    unit = parse_unit(sensor.unit)
    scale = 1.0 if unit is None else unit.factor
    if unit is not None and unit.dimension == "energy":
        scale /= grid.hours
    return {
        "status": "optimal",
        "currency": reader.currency or "EUR",
        "outputs": {
            sensor.name: {
                "start": _time(request, grid.start),
                "resolution": iso(grid.resolution),
                "unit": sensor.unit,
                "sign": "consumption-positive",
                "values": np.round(kw / scale, 6).tolist(),
            }
        },
        "commitment-costs": {"electricity net energy": cost},
        "objective": cost,
        "cost": cost,
        "soc": {},
        "unresolved": [],
        "resolved": [],
        "culprits": [],
        "contradictions": [],
        "breaches": [],
        "notes": list(reader.notes),
        "solver": {"build-seconds": 0.0, "solve-seconds": 0.0, "total-seconds": 0.0,
                   "lp-bound": cost, "gap": 0.0, "binaries": 0},
    }  # fmt: skip


def _explanation(
    wanted: Process, running: process.BoolArray, price: FloatArray, sense: process.Sense,
    reader: Reader, request: Fields,
) -> Json:  # fmt: skip
    """When it runs and what its kind leaves it to choose; what running at once would cost."""
    grid, currency = reader.grid, reader.currency or "EUR"
    nothing, runs = np.zeros(grid.n), wanted.runs
    at_once = process.place("INFLEXIBLE", wanted.slots, nothing, wanted.allowed, "MIN", runs)
    if at_once is None:
        at_once = process.place("BREAKABLE", wanted.slots, nothing, wanted.allowed, "MIN", runs)
    chosen, energy = "dearest" if sense == "MAX" else "cheapest", wanted.power_kw * grid.hours
    why = {
        "INFLEXIBLE": "runs as soon as it may",
        "BREAKABLE": f"runs in the {chosen} steps that are allowed",
        "SHIFTABLE": f"runs in one piece where that is {chosen}",
    }[wanted.kind]
    steps = []
    for moment, runs, worth, may in zip(grid.times(), running, price, wanted.allowed, strict=True):
        does = why if runs else "waits" if may else "may not run"
        text = f"one more kWh costs {worth:.4f} {currency}; the task {does}"
        steps.append({"start": _time(request, moment), "energy-value": float(worth),
                      "binding": [], "alternatives": [], "text": text})  # fmt: skip
    versus = {"plan": float(price[running].sum()) * energy}
    if at_once is not None:
        versus["do nothing"] = versus["own PV first"] = float(price[at_once].sum()) * energy
    return {"steps": steps, "versus": versus}


def _time(request: Fields, moment: Any) -> str:
    return str(moment.astimezone(request.moment("start").tzinfo).isoformat())


def _sensor(fields: Fields, request: Fields, whole: Fields, source: Source) -> Sensor | None:
    for one in (fields, request, whole):
        if one.has("sensor"):
            return source.sensors.get(one.name("sensor"))
    found = [s for s in source.sensors.values() if s.asset_type in _TYPES]
    if not found:
        found = [s for s in source.sensors.values()
                 if s.unit.endswith("W") and source.points(s.name, None) is None]  # fmt: skip
    return found[0] if len(found) == 1 else None
