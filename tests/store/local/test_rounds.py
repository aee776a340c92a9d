from datetime import timedelta

import pytest

from flexedge.store.local.compact import Compactor
from flexedge.store.local.journal import Journal
from flexedge.store.local.partition import Partition
from flexedge.store.local.rounds import Rounds
from flexedge.store.local.shelf import DamagedPartition
from flexedge.store.rows import micros
from tests.store.local.rows_made import NOW, STAMP, some

MINUTE = timedelta(minutes=1)
WEEK = timedelta(days=7)


@pytest.fixture
def rounds(compactor: Compactor, journal: Journal) -> Rounds:
    for start in range(20):
        journal.append([some(1, start)], STAMP)
        compactor.compact()
    return Rounds(journal, compactor.shelf)


def looked_at(rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    unfit = rounds._shelf.unfit

    def noted(one: Partition) -> list[DamagedPartition]:
        names.append(one.name)
        return unfit(one)

    monkeypatch.setattr(rounds._shelf, "unfit", noted)
    return names


def test_all_are_seen_once_a_week(rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
    names = looked_at(rounds, monkeypatch)
    for minute in range(0, 7 * 24 * 60 + 1, 60):
        rounds.go_on(NOW + minute * MINUTE)
    assert len(names) == len(set(names)) == 20


def test_what_is_damaged_since_is_found(
    rounds: Rounds, compactor: Compactor, journal: Journal
) -> None:
    bad = compactor.shelf.newest.partitions[7]
    path = compactor.shelf.path(bad)  # known to be sound, then
    path.write_bytes(b"\0" * bad.size)
    rounds.go_on(NOW)
    found: list[DamagedPartition] = rounds.go_on(NOW + WEEK)
    assert [error.name for error in found] == [bad.name]
    assert journal.fact("looked") is not None


def test_a_little_at_a_time_from_where_it_was(
    rounds: Rounds, compactor: Compactor, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flexedge.store.local.rounds._MOST", 1)
    rounds.go_on(NOW)
    names = looked_at(rounds, monkeypatch)
    rounds.go_on(NOW + WEEK)
    assert len(names) == 1
    again = Rounds(journal, compactor.shelf)  # after a restart
    for _ in range(25):
        again.go_on(NOW + WEEK)
    assert 19 <= len(set(names)) <= 20


def test_it_costs_a_write_a_day(rounds: Rounds, journal: Journal) -> None:
    noted = set()
    for minute in range(2 * 24 * 60):
        rounds.go_on(NOW + minute * MINUTE)
        noted.add(journal.fact("looked"))
    assert len(noted) == 2
    rounds.go_on(NOW - WEEK)  # a clock that was ahead
    rounds.go_on(NOW - WEEK + MINUTE)
    assert journal.fact("looked") == micros(NOW - WEEK)
