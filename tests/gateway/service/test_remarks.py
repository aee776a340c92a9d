from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.gateway.service.remarks import Note, Span, notes
from flexedge.store.tables.annotations import Annotation, Remarks
from flexedge.store.tables.annotations import Thing as Kind
from tests.web.api.asking import USER, platform

T = datetime(2026, 4, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
MS = 3_600_000
BEGIN = int(T.timestamp() * 1000)
THINGS: list[tuple[Kind, int]] = [("asset", 1), ("account", 1)]


def say(
    remarks: Remarks, source: int, content: str, hours: tuple[int, int],
    at: datetime | None = None, things: tuple[Kind, ...] = ("asset",),
) -> None:  # fmt: skip
    start, end = (T + hour * HOUR for hour in hours)
    for thing in things:
        remarks.add(Annotation(content, start, end, "label", source, at), thing, 1)


def test_remarks_with_the_same_end_become_one_note_of_many_lines(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        source, remarks = here.parts.beliefs.source(USER), here.parts.state.annotations
        say(remarks, source, "later " * 20, (2, 5), T)
        say(remarks, source, "first", (1, 5), things=("asset", "account"))
        say(remarks, source, "alone", (0, 3), T)
        found = notes(here.parts.state, THINGS, Span())
    assert found == [
        Note(0, BEGIN, BEGIN + 3 * MS, BEGIN, "anna", "label", ["alone"]),
        Note(1, BEGIN + MS, BEGIN + 5 * MS, None, "anna", "label",
             ["first", " ".join(["later"] * 10), " ".join(["later"] * 10)]),
    ]  # fmt: skip


@pytest.mark.parametrize(("span", "contents"), [
    (Span(before=T), ["at once", "timeless"]), (Span(after=T - HOUR), ["at once", "late"]),
    (Span(start=T + 3 * HOUR), ["late"]), (Span(end=T + HOUR), ["at once"]),
])  # fmt: skip
def test_remarks_are_chosen_by_time_and_belief(
    tmp_path: Path, span: Span, contents: list[str]
) -> None:
    with platform(tmp_path) as here:
        source, remarks = here.parts.beliefs.source(USER), here.parts.state.annotations
        say(remarks, source, "at once", (0, 1), T)
        say(remarks, source, "timeless", (1, 2))
        say(remarks, source, "late", (3, 4), T + HOUR)
        found = notes(here.parts.state, THINGS, span)
    assert [line for one in found for line in one.content] == contents


def test_notes_are_cut_where_the_span_ends_unless_not_wanted(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        say(here.parts.state.annotations, here.parts.beliefs.source(USER), "long", (0, 9))
        span = Span(T + HOUR, T + 2 * HOUR)
        (cut,) = notes(here.parts.state, THINGS, span)
        (whole,) = notes(here.parts.state, THINGS, Span(span.start, span.end, clip=False))
    assert (cut.start, cut.end) == (BEGIN + MS, BEGIN + 2 * MS)
    assert (whole.start, whole.end) == (BEGIN, BEGIN + 9 * MS)
