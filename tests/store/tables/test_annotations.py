from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flexedge.domain.asset import Source
from flexedge.store.state import State
from flexedge.store.tables.annotations import Annotation, Thing

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
H = timedelta(hours=1)


def remark(state: State) -> Annotation:
    source = state.source_id(Source("anna", "user"))
    return Annotation("the grid was away", NOW, NOW + H, "error", source)


def said(state: State, one: Annotation, thing: Thing = "sensor") -> tuple[int, bool]:
    added = state.annotations.add(one, thing, 3)
    assert added is not None
    return added


def test_the_same_remark_is_kept_once_whenever_it_is_made(state: State) -> None:
    away = remark(state)
    number, new = said(state, away)
    assert new
    assert said(state, away) == (number, False)
    assert said(state, replace(away, belief_time=NOW)) == (number, False)
    assert said(state, away, "asset") == (number, True)
    alert, new = said(state, replace(away, kind="alert", belief_time=NOW))
    assert new
    assert list(state.annotations.about("sensor", 3)) == [number, alert]
    assert state.annotations.about("asset", 3) == {number: away}
    assert state.annotations.about("account", 3) == {}


def test_another_end_is_another_remark_unless_both_were_made_at_once(state: State) -> None:
    away = remark(state)
    longer = replace(away, end=NOW + 2 * H)
    first, second = said(state, away)[0], said(state, longer)[0]
    assert [one.end for one in state.annotations.about("sensor", 3).values()] == [
        NOW + H, NOW + 2 * H]  # fmt: skip
    assert second > first
    third = said(state, replace(away, end=NOW + 3 * H, belief_time=NOW))[0]
    assert third > second
    assert state.annotations.add(
        replace(away, end=NOW + 4 * H, belief_time=NOW), "sensor", 3) is None  # fmt: skip


def test_remarks_that_touch_a_span_are_found(state: State) -> None:
    number, _ = said(state, remark(state))
    for start, end, touches in (
        (NOW - H, NOW, False), (NOW - H, NOW + H / 2, True), (NOW + H, NOW + 2 * H, False),
        (None, NOW + H, True), (NOW + H / 2, None, True), (NOW + H, None, False),
    ):  # fmt: skip
        assert list(state.annotations.about("sensor", 3, start, end)) == [number] * touches
