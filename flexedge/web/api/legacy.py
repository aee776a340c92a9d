"""The values of a sensor that is named by its entity address, as older clients name it."""

import re
from typing import Any, Final

from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.data import MOST_BYTES, Data, answer
from flexedge.web.api.op import Call, Op, Rejected, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.data import Answered, AskedOf, PostedTo

_ADDRESS: Final = re.compile(
    r"ea1\.[0-9]{4}-(?:0[1-9]|1[012])\.[A-Za-z0-9.:-]+:fm1\.(?P<number>[0-9]{1,9})"
)
_PATH: Final = "/api/v3_0/sensors/data"


def operations(parts: Parts) -> tuple[Op, ...]:
    """What can be asked of a sensor by its address."""
    old = Addressed(parts)
    return (
        Op(
            method="POST",
            path=_PATH,
            run=old.post,
            summary="Post sensor data, by entity address",
            tag="Sensors",
            scope="data",
            body=PostedTo,
            most_bytes=MOST_BYTES,
            answers={202: dict[str, Any], 200: dict[str, Any]},
            deprecated=True,
        ),
        Op(
            method="GET",
            path=_PATH,
            run=old.get,
            summary="Get sensor data, by entity address",
            tag="Sensors",
            query=AskedOf,
            place="query",
            answers={200: Answered},
            deprecated=True,
        ),
    )


class Addressed:
    """Finds a sensor by its address; the rest is that of any sensor."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._data = Data(parts)

    def post(self, call: Call[None, PostedTo]) -> Reply:
        """Store values."""
        sensor = self._found(call.body.sensor)
        self._parts.demand(call.caller, "create-children", self._parts.thing(sensor[1]))
        rows = self._data.rows(call.caller, call.body, sensor, call.now)
        return self._data.keep(call, rows, sensor)

    def get(self, call: Call[AskedOf, None]) -> Reply:
        """Tell values."""
        _, placed = self._found(call.query.sensor)
        self._parts.demand(call.caller, "read", self._parts.thing(placed))
        return answer(self._data.told(call.query, placed, call.query.unit))

    def _found(self, address: str) -> tuple[int, PlacedSensor]:
        match = _ADDRESS.fullmatch(address)
        if match is None:
            raise Rejected(
                422,
                "INVALID_DOMAIN",
                f"{address!r} is no entity address such as ea1.2026-01.localhost:fm1.42.",
            )
        number = int(match["number"])
        placed = self._parts.state.placed.get(number)
        if placed is None:
            raise Rejected(
                422, "INVALID_DOMAIN", f"sensor with entity address {address} doesn't exist."
            )
        return number, placed
