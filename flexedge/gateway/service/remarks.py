"""What people said about time spans, as charts show it."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flexedge.store.rows import EPOCH, micros
from flexedge.store.state import State
from flexedge.store.tables.annotations import Annotation, Thing

LINE: Final = 60
_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Span:
    """Which remarks are shown: those that touch [start, end), and when they were made."""

    start: datetime | None = None
    end: datetime | None = None
    after: datetime | None = None
    before: datetime | None = None
    """Those whose time is not known are shown in any case but for ``after``."""
    clip: bool = True
    """Whether remarks are cut where the span begins and ends."""


@dataclass(frozen=True, slots=True)
class Note:
    """All remarks whose spans have the same end; times in milliseconds since 1970."""

    index: int
    start: int
    end: int
    belief_time: int | None
    source: str
    type: str
    content: list[str]


def notes(state: State, things: Sequence[tuple[Thing, int]], span: Span) -> list[Note]:
    """What was said about some things, each remark once. Raises ``StoreError``."""
    found: dict[int, Annotation] = {}
    for thing, number in things:
        found |= state.annotations.about(thing, number, span.start, span.end)
    sources = state.sources()
    by_end: dict[datetime, list[tuple[datetime, int, Annotation]]] = {}
    for index, one in enumerate(one for one in found.values() if _fits(one, span)):
        start, end = _clipped(one, span)
        by_end.setdefault(end, []).append((start, index, one))
    told = []
    for end, several in sorted(by_end.items()):
        several.sort(key=lambda each: (each[0], each[2].belief_time or EPOCH, each[1]))
        start, index, first = several[0]
        lines = [line for _, _, one in several for line in textwrap.wrap(one.content, LINE)]
        said = first.belief_time
        told.append(
            Note(
                index, _ms(start), _ms(end), None if said is None else _ms(said),
                sources[first.source_id].name, first.kind, lines,
            )
        )  # fmt: skip
    return told


def _fits(one: Annotation, span: Span) -> bool:
    said = one.belief_time
    if span.after is not None and (said is None or said <= span.after):
        return False
    return span.before is None or said is None or said <= span.before


def _clipped(one: Annotation, span: Span) -> tuple[datetime, datetime]:
    if not span.clip:
        return one.start, one.end
    start = one.start if span.start is None else max(one.start, span.start)
    return start, one.end if span.end is None else min(one.end, span.end)


def _ms(time: datetime) -> int:
    return micros(time) // _MS
