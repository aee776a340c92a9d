"""The values of one sensor: posted, read, deleted."""

from datetime import datetime, timedelta
from typing import Any, Final

from pydantic_core import to_json

from flexedge.domain.asset import Source
from flexedge.domain.rights import Caller
from flexedge.gateway.service.values_in import Target, beliefs_of
from flexedge.gateway.service.values_out import Told, read
from flexedge.gateway.service.wholes import between
from flexedge.gateway.service.work import INGESTION
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.op import Call, Json, On, Op, Rejected, Reply, invalid
from flexedge.web.api.parts import Parts
from flexedge.wire.data import PLACE, Answered, Asked, Deleted, Filters, Posted
from flexedge.wire.shape import duration_text

MOST_BYTES = 3 * 1024 * 1024
"""Of posted data, as FlexMeasures has it."""
_INSTANT: Final = timedelta(microseconds=1)
_REPLACEMENT = (
    "Some of the data represents a replacement: it would change values that are stored for the same"
    " sensor, source, event and belief time. Send it with a later prior, or let the gateway's owner"
    " allow it in the settings."
)


def operations(parts: Parts) -> tuple[Op, ...]:
    """What can be asked of the values of a sensor."""
    data = Data(parts)
    path = "/api/v3_0/sensors/{id}/data"
    return (
        Op(
            method="POST",
            path=path,
            run=data.post,
            summary="Post sensor data",
            tag="Sensors",
            scope="data",
            on=On("sensor", "create-children"),
            body=Posted,
            place=PLACE,
            most_bytes=MOST_BYTES,
            answers={202: dict[str, Any], 200: dict[str, Any]},
        ),
        Op(
            method="GET",
            path=path,
            run=data.get,
            summary="Get sensor data",
            tag="Sensors",
            on=On("sensor", "read"),
            query=Asked,
            place=PLACE,
            answers={200: Answered},
        ),
        Op(
            method="DELETE",
            path=path,
            run=data.delete,
            summary="Delete sensor data",
            tag="Sensors",
            scope="data",
            on=On("sensor", "delete"),
            body=Deleted,
            answers={204: None},
        ),
    )


class Data:
    """Posts, reads and deletes the values of a sensor that was found already."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def post(self, call: Call[None, Posted]) -> Reply:
        """Store values; they are on the disk when this is answered."""
        rows = self.rows(call.caller, call.body, (call.number, call.found), call.now)
        return self.keep(call, rows, (call.number, call.found))

    def rows(
        self, caller: Caller, posted: Posted, sensor: tuple[int, PlacedSensor], now: datetime
    ) -> Rows:
        """What is posted as rows of its sensor. Raises ``BadField``."""
        number, placed = sensor
        target = Target(number, placed, self._parts.beliefs.source(source_of(caller)))
        whole = between(posted.unit, placed.unit, placed, self._parts.state)
        return beliefs_of(posted, target, now, whole)

    def keep(self, call: Call[Any, Any], rows: Rows, sensor: tuple[int, PlacedSensor]) -> Reply:
        """Store rows, all or none, and say what came of it."""
        overwriting = self._parts.settings.store.overwrite
        verdict = self._parts.beliefs.post(rows, overwriting=overwriting)
        if len(verdict.replaced) and not overwriting:
            raise Rejected(403, "INVALID_REPLACEMENT", _REPLACEMENT)
        if not len(verdict.store):
            return Reply(
                {
                    "results": "PROCESSED",
                    "status": "ALREADY_RECEIVED_AND_SUCCESSFULLY_PROCESSED",
                    "message": "Some of the data has already been received and successfully"
                    " processed.",
                }
            )
        job = self._done(call, len(verdict.store), sensor)
        return Reply(
            {
                "status": "ACCEPTED",
                "message": "Sensor data has been accepted for processing.",
                "job": job,
                "job-url": f"/api/v3_0/jobs/{job}",
            },
            202,
        )

    def _done(self, call: Call[Any, Any], n: int, sensor: tuple[int, PlacedSensor]) -> str:
        """The number of a job that is finished already."""
        number, placed = sensor
        job = self._parts.work.done(
            INGESTION, {"num-beliefs": n}, asset_id=placed.asset_id, sensor_id=number,
            user_id=call.caller.user_id,
        )  # fmt: skip
        return job.id

    def get(self, call: Call[Asked, None]) -> Reply:
        """Tell values."""
        return answer(self.told(call.query, call.found, call.query.unit))

    def told(self, asked: Filters, placed: PlacedSensor, unit: str) -> Told:
        """The values that are asked for. Raises ``BadField``."""
        return read(asked, placed, self._parts.state, self._parts.beliefs, unit)

    def delete(self, call: Call[None, Deleted | None]) -> Reply:
        """Delete values for good."""
        bounds, placed, number = call.body or Deleted(), call.found, call.number
        sources = self._parts.state.sources()
        if bounds.source is not None and bounds.source not in sources:
            invalid({"source": [f"No data source found with id {bounds.source}."]})
        source = None if bounds.source is None else sources[bounds.source]
        until = None if bounds.until is None else bounds.until - placed.resolution + _INSTANT
        self._parts.beliefs.delete(placed.key, source, bounds.start, until)
        self.note(call, f"Deleted data for sensor '{placed.name}': {number}{_within(bounds)}")
        return Reply(None, 204)

    def note(self, call: Call[Any, Any], told: str) -> None:
        """Note what was changed."""
        asset = self._parts.state.assets.get(call.found.asset_id)
        self._parts.state.audit.add(
            Entry(
                call.now,
                call.caller.name,
                told,
                user_id=call.caller.user_id,
                account_id=None if asset is None else asset.account_id,
                asset_id=call.found.asset_id,
            )
        )


def _within(bounds: Deleted) -> str:
    said = {"source": bounds.source, "from": bounds.start, "until": bounds.until}
    return "".join(f", {name}: {bound}" for name, bound in said.items() if bound is not None)


def source_of(caller: Caller) -> Source:
    """Who says what a caller posts."""
    account = None if caller.account_id is None else str(caller.account_id)
    return Source(caller.name or caller.kind, "user", account=account)


def answer(told: Told) -> Reply:
    """Values as FlexMeasures answers them."""
    done = {"message": "Request has been processed.", "status": "PROCESSED"}
    return Reply(written(told, {}, done))


def written(told: Told, before: Json, after: Json | None = None) -> bytes:
    """Values as JSON; missing ones are null. Written at once, for there may be many."""
    about = {
        "start": told.start.isoformat(timespec="seconds"),
        "duration": duration_text(told.duration) if told.duration else "PT0H",
        "unit": told.unit,
        "resolution": duration_text(told.resolution),
    }
    values = b'"values":' + to_json(told.values.tolist(), inf_nan_mode="null")
    parts = [_inside(before), values, _inside(about), _inside(after or {})]
    return b"{" + b",".join(part for part in parts if part) + b"}"


def _inside(fields: Json) -> bytes:
    return to_json(fields)[1:-1]
