"""One sensor: how it rests, and what it forgets."""

from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flexedge.gateway.sync.delivery import Delivery, Tally
from flexedge.gateway.sync.line import PAUSE, Going, Line
from flexedge.gateway.sync.sizes import Sizes
from flexedge.store.state import State
from flexedge.store.tables.centres import Link

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def delivery(folder: Path, *, taken: int, hopeless: int) -> Delivery:
    state = State(folder / "state.db")
    made = Delivery(state, (1, Link(1, "sensor", 1, 1)), deque(), Sizes(), Tally())
    made.taken, made.hopeless = taken, hopeless
    state.close()
    return made


def test_a_pause_lasts_an_hour_and_forgets_what_was_told() -> None:
    line = Line()
    line.memory.values[1] = (1.0, False)
    assert line.pause("403", NOW) is None
    assert line.rests(NOW + PAUSE - timedelta(seconds=1))
    assert not line.rests(NOW + PAUSE)
    assert (line.memory.values, line.why) == ({}, "403")


def test_three_deliveries_without_hope_are_a_pause(tmp_path: Path) -> None:
    line, bad = Line(), delivery(tmp_path, taken=0, hopeless=1)
    for n in range(3):
        assert not line.rests(NOW), n
        line.going = Going(bad)
        line.finished(NOW)
    assert line.rests(NOW)
    assert line.why


def test_one_that_is_taken_begins_the_count_anew(tmp_path: Path) -> None:
    line = Line()
    bad, good = (delivery(tmp_path, taken=n, hopeless=1) for n in (0, 1))
    for one in (bad, bad, good, bad, bad):
        line.going = Going(one)
        line.finished(NOW)
    assert not line.rests(NOW)
