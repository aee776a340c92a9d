"""The values of several sensors at once: posted all or none, read side by side."""

from typing import Any, Final

from flexedge.domain.rights import Permission
from flexedge.errors import BadField
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.data import MOST_BYTES, Data, written
from flexedge.web.api.op import Call, Op, Reply, invalid
from flexedge.web.api.parts import Parts
from flexedge.wire.data import (
    MOST_VALUES,
    PLACE,
    AnsweredMany,
    AskedMany,
    PostedMany,
)

_PATH: Final = "/api/v3_0/data"
_MOST_SENSORS: Final = 100


def operations(parts: Parts) -> tuple[Op, ...]:
    """What can be asked of several sensors."""
    many = Many(parts)
    return (
        Op(
            method="POST",
            path=_PATH,
            run=many.post,
            summary="Post data of several sensors",
            tag="Data",
            scope="data",
            body=PostedMany,
            place=PLACE,
            most_bytes=MOST_BYTES,
            answers={202: dict[str, Any], 200: dict[str, Any]},
            description="All of it is stored, or none; every sensor must allow it.",
        ),
        Op(
            method="GET",
            path=_PATH,
            run=many.get,
            summary="Get data of several sensors",
            tag="Data",
            query=AskedMany,
            place=PLACE,
            answers={200: AnsweredMany},
        ),
    )


class Many:
    """Does for several sensors what ``Data`` does for one."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._data = Data(parts)

    def post(self, call: Call[None, PostedMany]) -> Reply:
        """Store values of all sensors, or none."""
        entries = call.body.data
        if sum(len(one.values) for one in entries) > MOST_VALUES:
            invalid({"data": [f"Send {MOST_VALUES} values at most."]}, PLACE)
        found = self.sensors(call, [one.sensor for one in entries], "create-children")
        parts, wrong = [], {}
        for place, one in enumerate(entries):
            try:
                sensor = (one.sensor, found[one.sensor])
                parts.append(self._data.rows(call.caller, one, sensor, call.now))
            except BadField as error:
                wrong[str(place)] = {error.path: [error.message]}
        if wrong:
            invalid({"data": wrong}, PLACE)
        number, placed = next(iter(found.items()))
        return self._data.keep(call, Rows.joined(parts), (number, placed))

    def get(self, call: Call[AskedMany, None]) -> Reply:
        """Tell values of all sensors."""
        asked = call.query
        found = self.sensors(call, numbered(asked.sensors), "read")
        pieces, left = [], MOST_VALUES
        for number, placed in found.items():
            unit = placed.unit if asked.unit is None else asked.unit
            told = self._data.told(asked, placed, unit)
            left -= len(told.values)
            if left < 0:
                told_of = f"That is more than {MOST_VALUES} values of all sensors together."
                invalid({"duration": [told_of]}, PLACE)
            pieces.append(written(told, {"sensor": number}))
        end = b'],"message":"Request has been processed.","status":"PROCESSED"}'
        return Reply(b'{"data":[' + b",".join(pieces) + end)

    def sensors(
        self, call: Call[Any, Any], numbers: list[int], permission: Permission
    ) -> dict[int, PlacedSensor]:
        """Sensors by number, if the caller may do that with every one."""
        found = {one: self._parts.state.placed.get(one) for one in dict.fromkeys(numbers)}
        known = {number: placed for number, placed in found.items() if placed is not None}
        missing = [f"No sensor found with ID {number}." for number in found if number not in known]
        if missing:
            invalid({"sensor": missing}, PLACE)
        for placed in known.values():
            self._parts.demand(call.caller, permission, self._parts.thing(placed))
        return known


def numbered(sensors: str) -> list[int]:
    """The sensors that are asked for, each once."""
    numbers = list(dict.fromkeys(int(one) for one in sensors.split(",")))
    if len(numbers) > _MOST_SENSORS:
        invalid({"sensors": [f"Ask for {_MOST_SENSORS} sensors at most."]}, PLACE)
    return numbers
