"""Who says so: the sources of data."""

import re
from typing import Final

from flexedge.domain.asset import Source
from flexedge.domain.rights import CONSULTANT, Caller
from flexedge.web.api.op import Call, Op, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.sources import SourcesAsked, SourcesTold, SourceTold

TYPES: Final = ("user", "scheduler", "forecaster", "reporter", "demo script", "gateway", "market")
"""Those that are told though nobody has them."""


def operations(parts: Parts) -> tuple[Op, ...]:
    """What can be asked of sources."""
    return (
        Op(method="GET", path="/api/v3_0/sources", run=Sources(parts).accessible, tag="Sources",
           place="query", summary="List the sources of data, and the types that they have",
           query=SourcesAsked, answers={200: SourcesTold}),
    )  # fmt: skip


class Sources:
    """Tells sources."""

    def __init__(self, parts: Parts) -> None:
        self._state = parts.state

    def accessible(self, call: Call[SourcesAsked, None]) -> Reply:
        """The sources of nobody and of accounts that the caller may read."""
        mine = self._accounts(call.caller)
        users = {one.name: number for number, one in self._state.users.all().items()}
        found = {
            number: one for number, one in self._state.sources().items()
            if mine is None or one.account in mine
            or (one.account is None and not (one.kind == "user" and one.name in users))
        }  # fmt: skip
        if call.query.only_latest:
            found = _latest(found)
        told = [
            _told(number, one, users.get(one.name) if one.kind == "user" else None)
            for number, one in found.items()
        ]
        kinds = sorted({one.kind for one in found.values()} - {*TYPES, ""})
        return Reply(SourcesTold(types=[*TYPES, *kinds], sources=told))

    def _accounts(self, caller: Caller) -> set[str] | None:
        """Whose sources may be read; None: all."""
        if caller.sees_all:
            return None
        clients = (
            number for number, one in self._state.accounts.all().items()
            if CONSULTANT in caller.roles and one.consultancy_account_id == caller.account_id
        )  # fmt: skip
        return {str(caller.account_id), *map(str, clients)}


def description(source: Source) -> str:
    """As FlexMeasures describes a source: "Seita's StorageScheduler model v2"."""
    if not source.model:
        return source.name
    kind = "model" if source.kind.lower() in source.model.lower() else source.kind
    version = f" v{source.version}" if source.version else ""
    return f"{source.name}'s {source.model} {kind}{version}"


def _told(number: int, source: Source, user: int | None) -> dict[str, object]:
    account = source.account
    return SourceTold(
        id=number,
        name=source.name,
        type=source.kind,
        description=description(source),
        model=source.model,
        version=source.version,
        account_id=int(account) if account is not None and account.isdecimal() else None,
        user_id=user,
    ).model_dump(exclude_none=True)


def _latest(sources: dict[int, Source]) -> dict[int, Source]:
    """Of sources that differ in nothing but their version the one with the highest."""
    best: dict[tuple[str | None, ...], int] = {}
    for number, one in sources.items():
        who = (one.name, one.kind, one.model, one.account)
        if who not in best or _rank(one, number) > _rank(sources[best[who]], best[who]):
            best[who] = number
    return {number: sources[number] for number in sorted(best.values())}


def _rank(source: Source, number: int) -> tuple[list[int], int]:
    """Versions in order: "0.10" after "0.9"; what has none, or none with numbers, first."""
    numbers = [int(part) for part in re.findall(r"\d+", source.version or "")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers, number
