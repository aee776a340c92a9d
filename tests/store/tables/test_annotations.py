from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flexedge.domain.asset import Source
from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.annotations import Annotation

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
H = timedelta(hours=1)


@pytest.fixture
def holiday(state: State) -> Annotation:
    source = state.source_id(Source("a", "user"))
    return Annotation("King's day", NOW, NOW + 4 * H, "holiday", source)


def test_what_is_said_twice_is_one_remark(state: State, holiday: Annotation) -> None:
    number, new = state.annotations.add(holiday, "asset", 7)
    assert new
    assert state.annotations.add(holiday, "asset", 7) == (number, False)
    assert state.annotations.add(holiday, "asset", 8) == (number, True)
    assert state.annotations.add(holiday, "account", 7) == (number, True)
    for other in (
        replace(holiday, content="x"), replace(holiday, start=NOW - H),
        replace(holiday, kind="label"), replace(holiday, belief_time=NOW),
        replace(holiday, source_id=state.source_id(Source("b", "user"))),
    ):  # fmt: skip
        another, new = state.annotations.add(other, "asset", 7)
        assert new
        assert another > number
    assert len(state.annotations.about("asset", 7)) == 6
    assert state.annotations.about("asset", 8) == {number: holiday}
    assert state.annotations.about("sensor", 7) == {}


def test_those_are_told_that_touch_a_span(state: State, holiday: Annotation) -> None:
    later = replace(holiday, start=NOW + 6 * H, end=NOW + 7 * H)
    second, _ = state.annotations.add(later, "sensor", 1)
    first, _ = state.annotations.add(holiday, "sensor", 1)
    assert state.annotations.about("sensor", 1) == {first: holiday, second: later}
    assert list(state.annotations.about("sensor", 1)) == [first, second]  # as they happen

    def numbers(start: timedelta | None, end: timedelta | None) -> list[int]:
        bounds = [None if one is None else NOW + one for one in (start, end)]
        return list(state.annotations.about("sensor", 1, *bounds))

    assert numbers(4 * H, None) == [second]  # an end is not in it
    assert numbers(4 * H - timedelta(seconds=1), None) == [first, second]
    assert numbers(None, 6 * H) == [first]
    assert numbers(4 * H, 6 * H) == []


def test_who_says_so_must_be_known(state: State, holiday: Annotation) -> None:
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        state.annotations.add(replace(holiday, source_id=99), "asset", 7)
    assert state.annotations.about("asset", 7) == {}
