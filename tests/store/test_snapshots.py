import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store.snapshots import Snapshots
from flexedge.store.state import State

NOW = datetime(2026, 11, 26, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    state.remember("n", "0")
    yield state
    state.close()


@pytest.fixture
def snapshots(tmp_path: Path, state: State) -> Snapshots:  # noqa: ARG001 (what they are of)
    return Snapshots(tmp_path)


def test_a_snapshot_is_the_state_of_its_moment(
    tmp_path: Path, state: State, snapshots: Snapshots
) -> None:
    taken = snapshots.take(NOW)
    assert taken.path == tmp_path / "backup" / "state-000001-20261126T010000Z.db"
    state.remember("n", "1")
    then = State(taken.path)
    assert then.fact("n") == "0"
    then.close()


def test_there_is_one_an_hour_if_something_changed(state: State, snapshots: Snapshots) -> None:
    assert snapshots.if_changed(state.changes, NOW) is not None
    assert snapshots.if_changed(state.changes, NOW + HOUR) is None
    state.hold("battery.power", NOW)
    assert snapshots.if_changed(state.changes, NOW + 2 * HOUR) is not None
    assert [one.made for one in snapshots.newest_first()] == [NOW + 2 * HOUR, NOW]


def test_the_last_day_week_and_month_are_kept(snapshots: Snapshots) -> None:
    hours = 24 * 40
    folder = snapshots._folder
    for n in range(hours):
        if n == 0:
            snapshots.take(NOW)
            continue
        made = NOW + n * HOUR
        (folder / f"state-{n + 1:06d}-{made:%Y%m%dT%H%M%S}Z.db").write_bytes(b"")
    snapshots.take(NOW + hours * HOUR)
    last = NOW + hours * HOUR
    kept = [one.made for one in snapshots.newest_first()]
    assert kept[:24] == [last - n * HOUR for n in range(24)]
    ends = [last.replace(hour=23) - timedelta(days=n) for n in range(1, 7)]
    assert [made for made in kept[24:] if made in ends] == ends[1:]  # the first is among the 24
    weekly = [made for made in kept if made.isoweekday() == 7 and made.hour == 23]
    assert len(weekly) >= 3
    assert len(kept) == len({made.date() for made in kept[24:]}) + 24
    assert len({f"{made:%G-%V}" for made in kept}) == 4


def test_a_clock_that_was_wrong_neither_hides_nor_keeps_anything(
    state: State, snapshots: Snapshots
) -> None:
    wrong = datetime(2199, 1, 1, tzinfo=UTC)
    for n in range(8):
        snapshots.take(wrong + n * timedelta(days=1))
    for n in range(40):
        state.remember("n", str(n))
        newest = snapshots.take(NOW + n * timedelta(days=1))
        assert snapshots.newest_first()[0].path == newest.path
    assert all(one.made < wrong for one in snapshots.newest_first())


def test_what_was_begun_and_what_is_not_ours_is_left_out(
    tmp_path: Path, snapshots: Snapshots
) -> None:
    (tmp_path / "backup").mkdir()
    begun = tmp_path / "backup" / "state-000007-20261126T010000Z.db.tmp"
    begun.write_bytes(b"half")
    other = tmp_path / "backup" / "state-of-mind.db"
    other.write_bytes(b"mine")
    assert snapshots.newest_first() == []
    snapshots.take(NOW)
    assert not begun.exists()
    assert other.read_bytes() == b"mine"


def test_a_snapshot_is_put_back(tmp_path: Path, state: State, snapshots: Snapshots) -> None:
    taken = snapshots.take(NOW)
    state.remember("n", "1")
    state.close()
    (tmp_path / "state.db").unlink()
    (tmp_path / "state.db.new").write_bytes(b"half a copy " * 1000)
    snapshots.put_back(taken)
    again = State(tmp_path / "state.db")
    assert again.fact("n") == "0"
    again.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:5000],
        lambda data: data[:-4096] + bytes(4096),  # a copy of it can be made all the same
    ],
)
def test_a_snapshot_that_is_damaged_is_not_put_back(
    tmp_path: Path, snapshots: Snapshots, damage: Callable[[bytes], bytes]
) -> None:
    taken = snapshots.take(NOW)
    taken.path.write_bytes(damage(taken.path.read_bytes()))
    (tmp_path / "state.db").unlink()
    with pytest.raises(StoreDamaged):
        snapshots.put_back(taken)
    assert not (tmp_path / "state.db").exists()
    assert not (tmp_path / "state.db.new").exists()


def test_a_value_that_changed_makes_a_snapshot_no_good(
    tmp_path: Path, state: State, snapshots: Snapshots
) -> None:
    taken = snapshots.take(NOW)
    state.close()
    for path in (taken.path, tmp_path / "state.db"):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE facts SET value = '1'")
    with pytest.raises(StoreDamaged, match="the row 'n' of facts"):
        snapshots.take(NOW + HOUR)
    (tmp_path / "state.db").unlink()
    with pytest.raises(StoreDamaged, match="the row 'n' of facts"):
        snapshots.put_back(taken)
    assert not list(tmp_path.glob("state.db.new*"))
    assert list((tmp_path / "backup").iterdir()) == [taken.path]


def test_a_state_that_is_damaged_makes_no_snapshot(
    tmp_path: Path, state: State, snapshots: Snapshots
) -> None:
    first = snapshots.take(NOW)
    state.close()  # brings what is in the log into the file
    (tmp_path / "state.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError):
        snapshots.take(NOW + HOUR)
    assert [one.path for one in snapshots.newest_first()] == [first.path]
    assert len(list((tmp_path / "backup").iterdir())) == 1
