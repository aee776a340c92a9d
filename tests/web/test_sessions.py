from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.store.state import State
from flexedge.web.sessions import ABSOLUTE, IDLE, TICKET_LIFE, Sessions, Tickets


class Clock:
    now = datetime(2026, 4, 21, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


def test_tokens_are_long_and_only_their_hash_is_kept(state: State, tmp_path: Path) -> None:
    sessions = Sessions(state, Clock())
    token = sessions.open()
    assert len(token) >= 43  # 256 bits
    assert sessions.alive(token)
    assert not sessions.alive(token + "x")
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.encode() not in kept


def test_a_session_falls_idle_unless_it_is_used(state: State) -> None:
    clock = Clock()
    sessions = Sessions(state, clock)
    used, left = sessions.open(), sessions.open()
    for _ in range(4):
        clock.now += IDLE - timedelta(seconds=1)
        assert sessions.alive(used)
    assert not sessions.alive(left)
    clock.now += IDLE + timedelta(seconds=1)
    assert not sessions.alive(used)


def test_a_session_ends_after_thirty_days_however_much_it_is_used(state: State) -> None:
    clock = Clock()
    sessions = Sessions(state, clock)
    token = sessions.open()
    end = clock.now + ABSOLUTE
    while clock.now + timedelta(hours=11) <= end:
        clock.now += timedelta(hours=11)
        assert sessions.alive(token)
    clock.now = end + timedelta(seconds=1)
    assert not sessions.alive(token)
    clock.now = end  # gone for good, also when the clock is set back
    assert not sessions.alive(token)


def test_a_new_login_ends_the_session_it_replaces(state: State) -> None:
    sessions = Sessions(state, Clock())
    old = sessions.open()
    new = sessions.open(replaces=old)
    assert sessions.alive(new)
    assert not sessions.alive(old)


def test_ending_sessions_is_noticed_by_the_revision(state: State) -> None:
    sessions = Sessions(state, Clock())
    one, other = sessions.open(), sessions.open()
    before = sessions.revision
    sessions.close(one)
    between = sessions.revision
    sessions.close_all()
    assert len({before, between, sessions.revision}) == 3
    assert not sessions.alive(other)


def test_tickets_work_many_times_for_a_day() -> None:
    clock = Clock()
    tickets = Tickets(clock)
    ticket = tickets.issue()
    assert tickets.valid(ticket)
    assert tickets.valid(ticket)
    assert not tickets.valid("")
    clock.now += TICKET_LIFE
    assert not tickets.valid(ticket)


def test_old_tickets_make_room_for_new_ones() -> None:
    tickets = Tickets(Clock())
    issued = [tickets.issue() for _ in range(150)]
    assert [tickets.valid(ticket) for ticket in issued] == [False] * 50 + [True] * 100
