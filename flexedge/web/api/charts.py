"""Charts of an asset: in Vega-Lite, their data, and what was said about the time they show."""

import json
from typing import Any, Final

from flexedge.gateway.service import vega
from flexedge.gateway.service.charted import Window
from flexedge.gateway.service.charts import Shape, data
from flexedge.gateway.service.panels import Shown, shown
from flexedge.gateway.service.remarks import Span, notes
from flexedge.store.tables.annotations import Thing
from flexedge.store.tables.assets import Asset
from flexedge.web.api.op import Call, On, Op, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.annotations import ChartRemark
from flexedge.wire.charts import ChartAsked, Compact, DataAsked, NotesAsked, Record, Spec
from flexedge.wire.charts import Window as Asked

ROOT: Final = "/api/v3_0"
_LONG: Final = Shape(compact=False, of_asset=True)


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations."""
    state = parts.state

    def chart_data(call: Call[DataAsked, None]) -> Reply:
        what = shown(state, call.number, call.found)
        shape = Shape(compact=call.query.compress_json, of_asset=True)
        return Reply(data(state, parts.beliefs, what, window(call.query), shape))

    def chart(call: Call[ChartAsked, None]) -> Reply:
        asked, what = call.query, shown(state, call.number, call.found)
        dataset = asked.dataset_name or f"asset_{call.number}"
        noted = asked.include_asset_annotations or asked.include_account_annotations
        spec = vega.of_asset(
            what, dataset, combined=asked.combine_legend, notes=noted,
            height=asked.height or vega.HEIGHT,
        )  # fmt: skip
        things: list[tuple[Thing, int]] = []
        if asked.include_asset_annotations:
            things.append(("asset", call.number))
        if asked.include_account_annotations and call.found.account_id is not None:
            things.append(("account", call.found.account_id))
        return Reply(filled(parts, spec, asked, what, _LONG, things))

    def chart_notes(call: Call[NotesAsked, None]) -> Reply:
        asset: Asset = call.found
        things: list[tuple[Thing, int]] = [("asset", call.number)]
        if asset.account_id is not None:
            things.append(("account", asset.account_id))
        return Reply(notes(state, things, span(call.query, clip=call.query.clip)))

    path, on = f"{ROOT}/assets/{{id}}", On("asset", "read")
    return (
        Op(
            method="GET", path=f"{path}/chart", run=chart, on=on, query=ChartAsked, place="query",
            tag="Assets", summary="Draw the charts of an asset, in Vega-Lite",
            answers={200: Spec},
        ),
        Op(
            method="GET", path=f"{path}/chart_data", run=chart_data, on=on, query=DataAsked,
            place="query", tag="Assets", summary="Tell the data of an asset's charts",
            description="A list of records; with compress-json an object with lookups.",
            answers={200: list[Record] | Compact},
        ),
        Op(
            method="GET", path=f"{path}/chart_annotations", run=chart_notes, on=on,
            query=NotesAsked, place="query", tag="Assets",
            summary="List what was said about an asset and its account, as charts show it",
            answers={200: list[ChartRemark]},
        ),
    )  # fmt: skip


def window(asked: DataAsked | Asked, *, latest: bool = False) -> Window:
    """What is asked for; ``latest``: of versions only the newest, unless it is said."""
    start, end = asked.span()
    if not isinstance(asked, DataAsked):
        return Window(start, end, asked.beliefs_after, asked.prior, latest_version=latest)
    said = asked.use_latest_version_per_event
    return Window(
        start, end, asked.beliefs_after, asked.prior, asked.resolution,
        most_recent=asked.most_recent_beliefs_only,
        latest_version=latest if said is None else said,
    )  # fmt: skip


def span(asked: Asked, *, clip: bool = True) -> Span:
    """Which remarks are asked for."""
    start, end = asked.span()
    return Span(start, end, asked.beliefs_after, asked.prior, clip)


def filled(
    parts: Parts, spec: dict[str, Any], asked: ChartAsked, what: Shown, shape: Shape,
    things: list[tuple[Thing, int]],
) -> dict[str, Any]:  # fmt: skip
    """A chart of the width that is asked for; with its data, if they are."""
    spec = vega.sized(spec, asked.width)
    (dataset,) = spec["datasets"]
    if asked.include_data:
        of = window(asked, latest=not shape.of_asset)
        spec["datasets"][dataset] = json.loads(data(parts.state, parts.beliefs, what, of, shape))
    if things:
        found = notes(parts.state, things, span(asked)) if asked.include_data else []
        spec["datasets"][f"{dataset}_annotations"] = [
            {"start": one.start, "end": one.end, "type": one.type, "content": one.content}
            for one in found
        ]
    return spec
