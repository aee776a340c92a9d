"""What FlexMeasures' own pages ask: charts of a sensor, and what they need to know before."""

from collections.abc import Sequence
from datetime import timedelta
from email.utils import format_datetime
from typing import Final

from flexedge.gateway.service import vega
from flexedge.gateway.service.charts import Shape, data
from flexedge.gateway.service.panels import Panel, Shown, shown
from flexedge.gateway.service.remarks import notes
from flexedge.store.archive import Asked
from flexedge.store.sources import Which
from flexedge.store.tables.annotations import Thing
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api import charts
from flexedge.web.api.charts import filled, span, window
from flexedge.web.api.op import Call, On, Op, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.annotations import ChartRemark
from flexedge.wire.charts import (
    AssetBrief,
    ChartAsked,
    Compact,
    DataAsked,
    NotesAsked,
    Record,
    SensorBrief,
    Spec,
    TimeRange,
)

ROOT: Final = "/api/dev"
_LONG: Final = Shape(compact=False, of_asset=False)


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations."""
    return (*_of_sensor(parts), *_of_asset(parts))


def _of_sensor(parts: Parts) -> tuple[Op, ...]:
    state = parts.state

    def chart_data(call: Call[DataAsked, None]) -> Reply:
        shape = Shape(compact=call.query.compress_json, of_asset=False)
        of = window(call.query, latest=True)
        return Reply(data(state, parts.beliefs, _alone(call), of, shape))

    def chart(call: Call[ChartAsked, None]) -> Reply:
        asked, dataset = call.query, call.query.dataset_name or f"sensor_{call.number}"
        things = _things(parts, call, asked)
        spec = vega.of_sensor(
            call.found, call.number, dataset, asked.chart_type or "bar_chart",
            notes=bool(things), height=asked.height or vega.HEIGHT,
        )  # fmt: skip
        return Reply(filled(parts, spec, asked, _alone(call), _LONG, things))

    def chart_notes(call: Call[NotesAsked, None]) -> Reply:
        things: list[tuple[Thing, int]] = [
            ("sensor", call.number), ("asset", call.found.asset_id),
        ]  # fmt: skip
        return Reply(notes(state, things, span(call.query, clip=call.query.clip)))

    def brief(call: Call[None, None]) -> Reply:
        one: PlacedSensor = call.found
        return Reply(SensorBrief(
            name=one.name, timezone=one.timezone, timerange=_range(parts, call, [one]),
        ))  # fmt: skip

    path, on = f"{ROOT}/sensor/{{id}}", On("sensor", "read")
    return (
        Op(
            method="GET", path=path, run=brief, on=on, tag="Development",
            summary="Tell from when until when a sensor has data", answers={200: SensorBrief},
        ),
        Op(
            method="GET", path=f"{path}/chart", run=chart, on=on, query=ChartAsked, place="query",
            tag="Development", summary="Draw a chart of a sensor, in Vega-Lite",
            answers={200: Spec},
        ),
        Op(
            method="GET", path=f"{path}/chart_data", run=chart_data, on=on, query=DataAsked,
            place="query", tag="Development", summary="Tell the data of a sensor's chart",
            answers={200: list[Record] | Compact},
        ),
        Op(
            method="GET", path=f"{path}/chart_annotations", run=chart_notes, on=on,
            query=NotesAsked, place="query", tag="Development",
            summary="List what was said about a sensor and its asset, as charts show it",
            answers={200: list[ChartRemark]},
        ),
    )  # fmt: skip


def _of_asset(parts: Parts) -> tuple[Op, ...]:
    def brief(call: Call[None, None]) -> Reply:
        asset: Asset = call.found
        own = list(parts.state.placed.of(call.number).values())
        zone = asset.attributes.get("timezone")
        if not isinstance(zone, str):
            zone = own[0].timezone if own else "UTC"
        seen = list(shown(parts.state, call.number, asset).sensors.values())
        return Reply(AssetBrief(
            name=asset.name, timezone=zone, timerange_of_sensors_to_show=_range(parts, call, seen),
        ))  # fmt: skip

    return (
        Op(
            method="GET", path=f"{ROOT}/asset/{{id}}", run=brief, on=On("asset", "read"),
            tag="Development", summary="Tell from when until when an asset's charts have data",
            answers={200: AssetBrief},
        ),
        *(_moved(op) for op in charts.operations(parts)),
    )  # fmt: skip


def _moved(op: Op) -> Op:
    """An operation of an asset's charts, where older pages ask for it."""
    path = op.path.replace(f"{charts.ROOT}/assets/", f"{ROOT}/asset/")
    return Op(
        method=op.method, path=path, run=op.run, summary=op.summary, tag="Development", on=op.on,
        query=op.query, place=op.place, answers=op.answers, description=op.description,
    )  # fmt: skip


def _alone(call: Call[DataAsked, None] | Call[ChartAsked, None]) -> Shown:
    return Shown((Panel(None, (call.number,)),), {call.number: call.found})


def _things(
    parts: Parts, call: Call[ChartAsked, None], asked: ChartAsked
) -> list[tuple[Thing, int]]:
    found: list[tuple[Thing, int]] = []
    if asked.include_sensor_annotations:
        found.append(("sensor", call.number))
    if asked.include_asset_annotations:
        found.append(("asset", call.found.asset_id))
    if asked.include_account_annotations:
        asset = parts.state.assets.get(call.found.asset_id)
        if asset is not None and asset.account_id is not None:
            found.append(("account", asset.account_id))
    return found


def _range(parts: Parts, call: Call[None, None], sensors: Sequence[PlacedSensor]) -> TimeRange:
    """From the first event to the end of the last one; now where there is none."""
    found = parts.beliefs.statistics([one.key for one in sensors], Asked(()), Which())
    lengths = {one.key: one.resolution for one in sensors}
    known = parts.state.sensors()
    firsts = [one.first_event for one in found]
    lasts = [one.last_event + lengths.get(known[one.sensor].name, timedelta(0)) for one in found]
    start, end = min(firsts, default=call.now), max(lasts, default=call.now)
    return TimeRange(
        start=format_datetime(start, usegmt=True), end=format_datetime(end, usegmt=True)
    )
