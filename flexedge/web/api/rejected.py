"""Values that centres did not take: seeing them, having them tried again, giving them up."""

from dataclasses import replace
from typing import Final

from flexedge.domain.runs import Run
from flexedge.gateway.sync import unwanted
from flexedge.gateway.sync.told import counted
from flexedge.gateway.sync.unwanted import Refused
from flexedge.store.tables.audit import Entry
from flexedge.web.api.gateway import of_site
from flexedge.web.api.op import Call, Op, Reply, invalid
from flexedge.web.api.parts import Parts
from flexedge.web.api.sync import SYNC, TAG, demand, no_centre
from flexedge.wire.sync import (
    AskRejected,
    AskRetry,
    RejectedListTold,
    RejectedTold,
    RetriedTold,
)

_SHOWN: Final = 8
"""So many values of a run are told."""


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations of this module."""

    def rejected(call: Call[AskRejected, None]) -> Reply:
        demand(parts, call.caller)
        asked, state = call.query, parts.state
        _known(parts, asked.centre)
        found = unwanted.rejected(state, asked.centre)
        dropped = {
            one.name: unwanted.dropped(state, number)
            for number, one in state.centres.all().items()
            if asked.centre in (None, one.name)
        }
        entries = tuple(_told(one) for one in found[::-1][: asked.limit])
        return Reply(RejectedListTold(count=len(found), dropped=dropped, entries=entries))

    def retry(call: Call[object, AskRetry]) -> Reply:
        demand(parts, call.caller, "update")
        asked = call.body
        _known(parts, asked.centre)
        if asked.all == bool(asked.numbers):
            invalid({"numbers": ["Say which: their numbers, or all."]})
        wanted = None if asked.all else frozenset(asked.numbers)
        do = unwanted.drop if asked.drop else unwanted.retry
        done = do(parts.state, wanted, asked.centre)
        if done and asked.drop:
            _note(parts, call, done)
        elif done and parts.centres is not None:
            for name in sorted({one.centre for one in done}):
                parts.centres.ask(name)
        numbers = tuple(sorted(one.number for one in done))
        gone = tuple(sorted((wanted or frozenset()) - set(numbers)))
        return Reply(RetriedTold(numbers=numbers, gone=gone, message=_words(asked, done)))

    return (
        Op(method="GET", path=f"{SYNC}/rejected", run=rejected, tag=TAG, query=AskRejected,
           answers={200: RejectedListTold},
           summary="Values that centres did not take, and what they said"),
        Op(method="POST", path=f"{SYNC}/retry", run=retry, tag=TAG, scope="manage", body=AskRetry,
           answers={200: RetriedTold},
           summary="Have refused values tried once more, or give them up for good"),
    )  # fmt: skip


def _known(parts: Parts, name: str | None) -> None:
    if name is not None and not parts.state.centres.find(name=name):
        raise no_centre(parts, name)


def _told(one: Refused) -> RejectedTold:
    run = one.run
    return RejectedTold(
        number=one.number, centre=one.centre, sensor=one.sensor, role=one.role, at=one.at,
        why=one.why, start=run.start, end=run.end, values=run.values[:_SHOWN],
        count=len(run.values), unit=run.unit, believed=run.prior, tries=one.tries, again=one.again,
    )  # fmt: skip


def _note(parts: Parts, call: Call[object, AskRetry], done: tuple[Refused, ...]) -> None:
    """Values that were given up are gone: who did that is told in the audit log."""
    spans = [f"{one.centre} {one.sensor} {_span(one.run)}" for one in done[:20]]
    who = call.caller.name or call.caller.kind
    entry = Entry(call.now, who, f"Gave up {_values(done)} that centres refused",
                  before={"values": spans}, user_id=call.caller.user_id)  # fmt: skip
    parts.state.audit.add(replace(entry, account_id=of_site(parts).account_id))


def _span(run: Run) -> str:
    return f"{run.start.isoformat()} to {run.end.isoformat()}"


def _values(done: tuple[Refused, ...]) -> str:
    return counted(sum(len(one.run.values) for one in done), "value")


def _words(asked: AskRetry, done: tuple[Refused, ...]) -> str:
    if not done:
        return "There is nothing of that kind that a centre refused."
    what = "given up" if asked.drop else "tried once more"
    return f"{_values(done)} {what}."
