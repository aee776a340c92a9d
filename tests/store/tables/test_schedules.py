from datetime import UTC, datetime, timedelta

import pytest

from flexedge.domain.asset import Source
from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.schedules import Header

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_headers_are_kept_and_the_newest_that_holds_is_found(state: State) -> None:
    source = state.source_id(Source("flexedge", "scheduler"))
    first = Header("a", NOW, NOW + 6 * HOUR, source, "optimal", 1.25, {"why": {"battery": "x"}})
    second = Header("b", NOW + HOUR, NOW + 2 * HOUR, source, "simpler")
    for header in (first, second):
        state.schedules.keep(header)
    assert state.schedules.header("a") == first
    assert state.schedules.header("c") is None
    assert state.schedules.newest(NOW + HOUR) == second
    assert state.schedules.newest(NOW + 2 * HOUR) == first
    assert state.schedules.newest(NOW + 6 * HOUR) is None
    assert state.schedules.prune(NOW + HOUR) == 1
    assert state.schedules.header("a") is None
    assert state.schedules.header("b") == second


def test_its_source_must_be_known_and_its_id_new(state: State) -> None:
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        state.schedules.keep(Header("a", NOW, NOW, 5, "optimal"))
    source = state.source_id(Source("flexedge", "scheduler"))
    state.schedules.keep(Header("a", NOW, NOW, source, "optimal"))
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.schedules.keep(Header("a", NOW, NOW, source, "optimal"))
