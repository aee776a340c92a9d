from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flexedge.domain.asset import Source
from flexedge.store.state import State
from flexedge.store.tables.annotations import Annotation

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
H = timedelta(hours=1)


def remark(state: State) -> Annotation:
    source = state.source_id(Source("anna", "user"))
    return Annotation("the grid was away", NOW, NOW + H, "error", source)


def test_the_same_remark_is_kept_once(state: State) -> None:
    away = remark(state)
    number, new = state.annotations.add(away, "sensor", 3)
    assert new
    assert state.annotations.add(away, "sensor", 3) == (number, False)
    assert state.annotations.add(away, "asset", 3) == (number, True)
    dated, new = state.annotations.add(replace(away, belief_time=NOW), "sensor", 3)
    assert new
    assert dated != number
    assert list(state.annotations.about("sensor", 3)) == [number, dated]
    assert state.annotations.about("asset", 3) == {number: away}
    assert state.annotations.about("account", 3) == {}


def test_remarks_that_touch_a_span_are_found(state: State) -> None:
    number, _ = state.annotations.add(remark(state), "sensor", 3)
    for start, end, touches in (
        (NOW - H, NOW, False), (NOW - H, NOW + H / 2, True), (NOW + H, NOW + 2 * H, False),
        (None, NOW + H, True), (NOW + H / 2, None, True), (NOW + H, None, False),
    ):  # fmt: skip
        assert list(state.annotations.about("sensor", 3, start, end)) == [number] * touches
