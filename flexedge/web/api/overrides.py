"""What people ask of assets beside the plan, and limits they draw tighter: each with an end."""

from typing import Any

from pydantic import TypeAdapter

from flexedge.errors import StoreError
from flexedge.gateway.asked import Override, Tightening
from flexedge.gateway.edge import Edge, limit_made
from flexedge.store.tables.audit import Entry
from flexedge.web.api.gateway import ROOT, TAG, of_site, site
from flexedge.web.api.op import Call, Op, Rejected, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.gateway import (
    AskLimit,
    AskOverride,
    LimitMade,
    OverrideMade,
    OverrideTold,
    SiteLimits,
)

_OVERRIDES = TypeAdapter(tuple[OverrideTold, ...])


class _Handlers:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def overrides(self, call: Call[object, None]) -> Reply:
        return Reply(_OVERRIDES.dump_json(site(self._parts, call.caller).overrides()))

    def override(self, call: Call[object, AskOverride]) -> Reply:
        edge, asked = site(self._parts, call.caller, "update"), call.body
        made, before = edge.gateway.overrides.ask(
            (asked.asset, asked.action, asked.power), asked.until, _who(call), asked.why, call.now
        )
        try:
            self._note(call, "Overrode", before, made)
        except StoreError:  # who is told that it failed must not find it in force
            edge.gateway.overrides.end(made.number, call.now)
            raise
        words = made.sentence(edge.gateway.plant.zone)
        if before is not None:
            words += f"; it ends number {before.number}, because the newest wins"
        fields: dict[str, Any] = edge.override_fields(made)
        replaced = None if before is None else before.number
        return Reply(
            OverrideMade(**fields, replaces=replaced, message=f"There is an {words}."), 201
        )

    def limits(self, call: Call[object, None]) -> Reply:
        return Reply(site(self._parts, call.caller).limits())

    def limit(self, call: Call[object, AskLimit]) -> Reply:
        edge, asked = site(self._parts, call.caller, "update"), call.body
        low = None if asked.most_production is None else -asked.most_production + 0.0
        made = edge.gateway.overrides.tighten(
            asked.asset, (low, asked.most_consumption), asked.until, _who(call), asked.why, call.now
        )
        self._note(call, "Limited", None, made)
        return Reply(limit_made(made), 201)

    def end_override(self, call: Call[object, None]) -> Reply:
        return self._end(call, Override)

    def end_limit(self, call: Call[object, None]) -> Reply:
        return self._end(call, Tightening)

    def _end(self, call: Call[object, None], kind: type[Override | Tightening]) -> Reply:
        edge = site(self._parts, call.caller, "update")
        number, known = call.path["number"], _of(edge, kind, call)
        if number not in known:
            word = "override" if kind is Override else "limit"
            raise Rejected(404, "NOT_FOUND", f"There is no {word} number {number}.")
        ended = edge.gateway.overrides.end(known[number].number, call.now)
        if ended is not None:
            self._note(call, "Took back", ended, None)
        return Reply(None, 204)

    def _note(
        self, call: Call[Any, Any], verb: str, before: Override | Tightening | None,
        after: Override | Tightening | None,
    ) -> None:  # fmt: skip
        about = after or before
        what = "nothing" if about is None else about.asset or "the grid connection"
        self._parts.state.audit.add(
            Entry(
                at=call.now, who=_who(call), what=f"{verb}: {what}", before=_json(before),
                after=_json(after), user_id=call.caller.user_id,
                account_id=of_site(self._parts).account_id,
            )
        )  # fmt: skip


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations of this module."""
    do, places = _Handlers(parts), (f"{ROOT}/overrides", f"{ROOT}/limits")
    one = [f"{place}/{{number}}" for place in places]
    return (
        Op(method="GET", path=places[0], run=do.overrides, tag=TAG,
           answers={200: tuple[OverrideTold, ...]},
           summary="What people ask of assets beside the plan"),
        Op(method="POST", path=places[0], run=do.override, tag=TAG, scope="control",
           body=AskOverride, answers={201: OverrideMade, 409: None},
           summary="Have an asset do something else than planned, until a time"),
        Op(method="DELETE", path=one[0], run=do.end_override, tag=TAG, scope="control",
           answers={204: None}, summary="Take an override back"),
        Op(method="GET", path=places[1], run=do.limits, tag=TAG, answers={200: SiteLimits},
           summary="Every limit that holds now, and who says so"),
        Op(method="POST", path=places[1], run=do.limit, tag=TAG, scope="control",
           body=AskLimit, answers={201: LimitMade, 409: None},
           summary="Limit an asset or the grid connection beside the installer, until a time"),
        Op(method="DELETE", path=one[1], run=do.end_limit, tag=TAG, scope="control",
           answers={204: None}, summary="Take a temporary limit back"),
    )  # fmt: skip


def _of(
    edge: Edge, kind: type[Override | Tightening], call: Call[Any, Any]
) -> dict[str, Override | Tightening]:
    kept = edge.gateway.overrides
    some = kept.overrides(call.now) if kind is Override else kept.limits(call.now)
    return {str(one.number): one for one in some}


def _who(call: Call[Any, Any]) -> str:
    return call.caller.name or call.caller.kind


def _json(one: Override | Tightening | None) -> dict[str, Any] | None:
    if one is None:
        return None
    told: dict[str, Any] = TypeAdapter(type(one)).dump_python(one, mode="json")
    return told
