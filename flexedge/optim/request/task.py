"""A single task (FlexMeasures' process): placed by its prices, without a solver."""

from typing import Any

import numpy as np

from flexedge.optim import process
from flexedge.optim.request import merge, terms
from flexedge.optim.request.amounts import Reader
from flexedge.optim.request.answer import iso
from flexedge.optim.request.devices import task_of
from flexedge.optim.request.entries import PROCESS_FIELDS, Entry
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.frame import frame
from flexedge.optim.request.source import FileSource, Sensor, parse_unit

_TYPES = ("process", "load")


def task(whole: Fields) -> dict[str, Any] | None:
    """The answer for a file that asks for one task, or None where it asks for something else."""
    request = whole.object("request")
    source = FileSource(whole)
    model = request.data.get("flex-model")
    if not isinstance(model, dict):
        return None
    fields = Fields(model, "flex-model")
    sensor = _sensor(fields, request, whole, source)
    known = {"process-type", "optimization-sense", "time-restrictions"}
    if not known & set(model) and (sensor is None or sensor.asset_type not in _TYPES):
        return None
    fields.refuse_unknown((*PROCESS_FIELDS, "sensor", "asset"))
    if sensor is None:
        fields.fail("sensor", "is missing: which sensor shall be scheduled?")
    stored = {key: sensor.attributes[key] for key in ("process-type",) if key in sensor.attributes}
    fields = Fields({**stored, **model, "sensor": sensor.name}, fields.path)
    context = merge.context(request, source, None)
    grid = frame(whole, request, source, [fields])
    reader = Reader(source, grid)
    found = terms.terms(context, reader)
    site = found.by_commodity["electricity"]
    price = terms.price(site, "consumption-price", reader)
    if price is None:
        site.fail("consumption-price", "is missing")
    entry = Entry(fields, sensor.name, sensor, None, None, None, None, "electricity", None)
    wanted = task_of(fields, entry, reader)
    sense = fields.one_of("optimization-sense", ("MIN", "MAX"), "MIN")
    slots = wanted.slots * wanted.runs
    if slots >= grid.n and not wanted.allowed.all():
        fields.fail("time-restrictions", "leave no room: the task is as long as the schedule")
    running = process.place(
        wanted.kind,
        slots,
        price,
        wanted.allowed,
        sense,  # type: ignore[arg-type] # MIN or MAX
    )
    if running is None:
        fields.fail("time-restrictions", "leave no room for the task")
    kw = np.where(running, wanted.power_kw, 0.0)
    cost = float(price @ kw) * grid.hours
    unit = parse_unit(sensor.unit)
    zone = request.moment("start").tzinfo
    return {
        "status": "optimal",
        "currency": reader.currency or "EUR",
        "outputs": {
            sensor.name: {
                "start": grid.start.astimezone(zone).isoformat(),
                "resolution": iso(grid.resolution),
                "unit": sensor.unit,
                "sign": "consumption-positive",
                "values": (kw / (1.0 if unit is None else unit.factor)).tolist(),
            }
        },
        "commitment-costs": {"electricity net energy": cost},
        "objective": cost,
        "cost": cost,
        "soc": {},
        "unresolved": [],
        "resolved": [],
        "breaches": [],
        "notes": list(reader.notes),
        "solver": {"build-seconds": 0.0, "solve-seconds": 0.0, "total-seconds": 0.0,
                   "lp-bound": cost, "gap": 0.0, "binaries": 0},
        "explanation": {"steps": [], "versus": {}},
    }  # fmt: skip


def _sensor(fields: Fields, request: Fields, whole: Fields, source: FileSource) -> Sensor | None:
    for one in (fields, request, whole):
        if one.has("sensor"):
            return source.sensors.get(one.name("sensor"))
    found = [s for s in source.sensors.values() if s.asset_type in _TYPES]
    if not found:
        found = [s for s in source.sensors.values()
                 if s.unit.endswith("W") and source.points(s.name, None) is None]  # fmt: skip
    return found[0] if len(found) == 1 else None
