"""Flex-models and flex-contexts that shall be stored, read as the optimiser will read them.

A problem is made of what shall be stored, with stand-ins for what a request adds; it is not solved.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from flexedge.errors import BadField
from flexedge.gateway.service.references import referred
from flexedge.optim.request import site
from flexedge.optim.request.believed import ALL, Filter
from flexedge.optim.request.entries import PROCESS_FIELDS, STOCK_FIELDS
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.source import Asset, Points, Sensor, parse_unit
from flexedge.store.tables.placed import PlacedSensor

Json = dict[str, Any]
_START: Final = datetime(2030, 1, 1, tzinfo=UTC)
_STEP: Final = timedelta(minutes=15)
_STEPS: Final = 8
_OWN: Final = "own power"
"""The sensor of what is planned."""
_CAPACITIES: Final = ("power-capacity", "consumption-capacity", "production-capacity")
_OF_REQUESTS: Final = ("sensor", "asset")
_CURRENCY: Final = re.compile(r"^[-+.\d\s]*[mckM]?([A-Z]{3})(?:/\w+)?$")
_SERIES: Final = (
    "A time series specification (listing segments) is not supported when storing {} fields. Use a "
    "fixed quantity or a sensor reference instead."
)


def check_model(model: Json, sensors: Mapping[int, PlacedSensor]) -> None:
    """Refuse a flex-model that could not be planned with.

    ``sensors``: those that it refers to and that exist. Raises ``BadField`` with the field as path.
    """
    _demand(model, sensors, "flex-model")
    for key in _OF_REQUESTS:
        if key in model:
            raise BadField(key, "Unknown field: an asset's own flex-model is about that asset.")
    entry = {key: value for key, value in model.items() if key != "group"}
    if not any(key in model for key in (*_CAPACITIES, "power", "process-type")):
        entry["power-capacity"] = "1 kW"
    if any(key in model for key in STOCK_FIELDS) and not _is_task(model):
        entry.setdefault("soc-at-start", model.get("soc-min", "0 kWh"))
    if _is_task(model):
        entry = {"power": "1 kW", "duration": "PT30M"} | entry
    _read({"flex-model": [entry | {"sensor": _OWN}]}, model, sensors)


def check_context(context: Json, sensors: Mapping[int, PlacedSensor]) -> None:
    """Refuse a flex-context that could not be planned with; as ``check_model``."""
    _demand(context, sensors, "flex-context")
    _read(
        {"flex-model": [{"sensor": _OWN, "power-capacity": "1 kW"}], "flex-context": context},
        context,
        sensors,
    )


def _is_task(model: Json) -> bool:
    return any(key in model for key in PROCESS_FIELDS)


def _demand(data: Json, sensors: Mapping[int, PlacedSensor], what: str) -> None:
    """Refuse unknown sensors, and lists of values in time."""
    for key, value in data.items():
        for number in referred({key: value}):
            if number not in sensors:
                raise BadField(key, f"No sensor found with ID {number}.")
        if isinstance(value, list) and any(_is_segment(one) for one in value):
            raise BadField(key, _SERIES.format(what))


def _is_segment(one: Any) -> bool:
    return isinstance(one, dict) and not {"datetime", "start", "end"}.isdisjoint(one)


def _read(request: Json, stored: Json, sensors: Mapping[int, PlacedSensor]) -> None:
    source = _StandIn(sensors)
    context = dict(request.get("flex-context", {}))
    named = {one.get("commodity") for one in _objects(context.get("commodities"))}
    if not {"consumption-price", "consumption-price-sensor"} & context.keys() and (
        "electricity" not in named
    ):
        context["consumption-price"] = f"1 {_currency(stored, source)}/kWh"
    asked = {
        "start": _START.isoformat(),
        "duration": "PT2H",
        "resolution": "PT15M",
        **request,
        "flex-context": context,
    }
    try:
        site.site(Fields({}, ""), Fields(asked, "request"), source, None)
    except BadField as error:
        raise _told(error, stored) from error
    except ValueError as error:  # of the problem that comes of it: what no single field shows
        raise BadField(next(iter(stored), "flex-model"), str(error)) from error


def _told(error: BadField, stored: Json) -> BadField:
    """The same with the stored field as its path."""
    rest = re.sub(r"^(flex-model(\[\d+\])?|flex-context)\.?", "", error.path)
    key = re.split(r"[.\[]", rest, maxsplit=1)[0]
    message = error.message.replace("there is no such field", "Unknown field")
    if key in stored and len(rest) > len(key):
        message = f"{rest[len(key) :].lstrip('.')}: {message}"
    return BadField(key or next(iter(stored), "flex-model"), message)


def _currency(stored: Any, source: "_StandIn") -> str:
    """The currency that is used, if any."""
    texts = [one for one in _texts(stored) if isinstance(one, str)]
    for text in (*texts, *(one.unit for one in source.placed.values())):
        unit = parse_unit(text)
        found = _CURRENCY.match(text)
        if found or (unit is not None and unit.currency):
            return found[1] if found else str(unit and unit.currency)
    return "EUR"


def _texts(data: Any) -> list[Any]:
    if isinstance(data, dict):
        data = list(data.values())
    return [text for one in data for text in _texts(one)] if isinstance(data, list) else [data]


def _objects(data: Any) -> list[Json]:
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


@dataclass(slots=True)
class _StandIn:
    """Sensors with a value of 1 at all times."""

    placed: Mapping[int, PlacedSensor]
    sensors: dict[str, Sensor] = field(init=False)
    assets: Mapping[str, Asset] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sensors = {
            str(number): Sensor(
                str(number),
                one.unit,
                one.resolution,
                str(one.asset_id),
                None,
                one.attributes,
                one.attributes.get("consumption_is_positive"),
            )
            for number, one in self.placed.items()
        }
        self.sensors[_OWN] = Sensor(_OWN, "kW", _STEP, "", None)

    def points(
        self,
        sensor: str,
        prior: datetime | None,
        only: Filter = ALL,
        span: tuple[datetime, datetime] | None = None,
    ) -> Points | None:
        """1 in each step."""
        del prior, only, span
        starts = tuple(_START + _STEP * n for n in range(_STEPS))
        return Points(starts, np.ones(_STEPS), _STEP, self.sensors[sensor].unit)
