"""What people say about time spans of accounts, assets and sensors."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from typing import Final

from flexedge.domain.asset import Source
from flexedge.store.tables.annotations import Annotation, Thing
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.op import Call, On, Op, Reply, invalid
from flexedge.web.api.parts import Parts
from flexedge.wire.annotations import Remark, RemarksAsked, RemarksTold, RemarkTold

ROOT: Final = "/api/v3_0"
_PLACES: Final[Mapping[Thing, str]] = {"sensor": "sensors", "asset": "assets",
                                       "account": "accounts"}  # fmt: skip


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations."""
    return tuple(
        op for thing, place in _PLACES.items() for op in _operations_on(parts, thing, place)
    )


def _operations_on(parts: Parts, thing: Thing, place: str) -> tuple[Op, ...]:
    remarks = parts.state.annotations

    def post(call: Call[None, Remark]) -> Reply:
        body = call.body
        annotation = Annotation(
            body.content, body.start, body.end, body.type, _source(parts, call), body.prior
        )
        added = remarks.add(annotation, thing, call.number)
        if added is None:
            invalid({"end": ["The same was said at that moment, with another end."]})
        number, new = added
        if not new:
            found = remarks.about(thing, call.number, body.start, body.end)
            return Reply(_told(number, found[number]), 200)
        parts.state.audit.add(_entry(call, f"Added annotation {number}: {body.content}"))
        return Reply(_told(number, annotation), 201)

    def get(call: Call[RemarksAsked, None]) -> Reply:
        found = remarks.about(thing, call.number, call.query.start, call.query.end)
        return Reply(RemarksTold(annotations=[_told(*one) for one in found.items()]))

    path, tag = f"{ROOT}/{place}/{{id}}/annotations", place.capitalize()
    return (
        Op(
            method="POST", path=path, run=post, tag=tag, summary=f"Say something about {_a(thing)}",
            on=On(thing, "create-children"), scope="manage", body=Remark,
            description="201; 200 if the same has been said already.",
            answers={201: RemarkTold, 200: RemarkTold},
        ),
        Op(
            method="GET", path=path, run=get, tag=tag,
            summary=f"List what was said about {_a(thing)}", on=On(thing, "read"),
            query=RemarksAsked, place="query", answers={200: RemarksTold},
        ),
    )  # fmt: skip


def _a(thing: Thing) -> str:
    return f"{'a' if thing == 'sensor' else 'an'} {thing}"


def _source(parts: Parts, call: Call[None, Remark]) -> int:
    account = None if call.caller.account_id is None else str(call.caller.account_id)
    return parts.beliefs.source(Source(call.caller.name, "user", account=account))


def _entry(call: Call[None, Remark], what: str) -> Entry:
    entry = Entry(call.now, call.caller.name, what, user_id=call.caller.user_id)
    match call.found:
        case PlacedSensor(asset_id=asset):
            return replace(entry, asset_id=asset)
        case Asset(account_id=account):
            return replace(entry, account_id=account, asset_id=call.number)
        case _:
            return replace(entry, account_id=call.number)


def _told(number: int, one: Annotation) -> RemarkTold:
    return RemarkTold(
        id=number, content=one.content, start=one.start.astimezone(UTC),
        end=one.end.astimezone(UTC), type=one.kind, prior=one.belief_time, source=one.source_id,
    )  # fmt: skip
