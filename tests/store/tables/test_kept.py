import copy
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from flexedge.domain.asset import Sensor
from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.database import Database
from flexedge.store.tables.kept import Kept, frozen
from flexedge.store.tables.models import Facts, Leases, Users
from flexedge.store.tables.users import User

NOW = datetime(2026, 11, 26, tzinfo=UTC)


class Loads:
    """Counts how often the facts were read."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self, connection: sa.Connection) -> dict[str, str]:
        self.n += 1
        return dict(connection.execute(sa.select(Facts.name, Facts.value)).all())


def test_what_was_read_is_kept_until_its_tables_are_written_to(database: Database) -> None:
    loads = Loads()
    kept = Kept(database, loads, Facts)
    assert (kept.get(), kept.get(), loads.n) == ({}, {}, 1)
    database.execute(sa.insert(Facts).values(name="a", value="1"))
    assert (kept.get(), kept.get(), loads.n) == ({"a": "1"}, {"a": "1"}, 2)
    database.execute(sa.insert(Leases).values(control="battery.power", since=NOW))
    assert (kept.get(), loads.n) == ({"a": "1"}, 2)
    database.execute(sa.update(Facts).values(value="2"))
    assert (kept.get(), loads.n) == ({"a": "2"}, 3)
    database.execute(sa.delete(Facts))
    assert (kept.get(), loads.n) == ({}, 4)
    database.execute(database.put(Facts, {"name": "b", "value": "3"}, replace=("value",)))
    assert (kept.get(), loads.n) == ({"b": "3"}, 5)


def test_what_goes_with_a_row_of_another_table_is_not_kept(state: State, where: Path | str) -> None:
    asset = state.assets.add(Asset("home", "building"))
    child = state.assets.add(Asset("roof", "solar", asset))
    number = state.sensor_id(Sensor("roof.power", "kW"))
    state.placed.place(number, child, "power", "UTC", {})
    assert list(state.placed.all()) == [number]
    state.assets.remove(asset, NOW)
    assert state.placed.all() == {}
    assert state.assets.all() == {}
    again = State(where)
    assert again.assets.all() == {}
    again.close()


def test_a_write_that_fails_leaves_the_truth(state: State) -> None:
    number = state.accounts.add(Account("home"))
    assert state.accounts.get(number) == Account("home")
    with pytest.raises(StoreError):
        state.accounts.add(Account("home"))
    assert state.accounts.all() == {number: Account("home")}


def test_what_another_process_wrote_is_seen(state: State, where: Path | str) -> None:
    number = state.accounts.add(Account("home"))
    user = state.users.add(User("anna", number, NOW))
    other = State(where)
    assert other.accounts.get(number) == state.accounts.get(number) == Account("home")
    before = state.changes
    other.accounts.change(number, Account("office"))
    until_told(state, before)
    assert state.accounts.get(number) == Account("office")
    before = state.changes
    other.users.remove(user)
    until_told(state, before)
    assert state.users.get(user) is None
    other.close()


def until_told(state: State, before: int) -> None:
    """PostgreSQL tells after the commit; a file at once."""
    for _ in range(100_000):
        if state.changes > before:
            return
    raise AssertionError("nobody was told")


def test_ones_own_changes_are_not_taken_for_others(state: State) -> None:
    state.accounts.add(Account("home"))
    before = state.changes
    for n in range(5):
        state.accounts.add(Account(f"another {n}"))
    assert state.changes == before + 5


def test_whoever_has_written_reads_that(state: State) -> None:
    numbers = [state.accounts.add(Account(f"{n}")) for n in range(4)]

    def work(number: int) -> bool:
        good = True
        for n in range(25):
            new = Account(f"{number}: {n}")
            state.accounts.change(number, new)
            good = good and state.accounts.get(number) == new
        return good

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, numbers))


def test_a_database_that_cannot_be_read_says_so(database: Database) -> None:
    kept = Kept(database, Loads(), Facts)
    kept.get()
    database.write(lambda c: c.exec_driver_sql("ALTER TABLE facts RENAME TO gone"))
    assert kept.get() == {}  # nobody but a migration does that
    database.execute(sa.delete(Leases))
    fresh = Kept(database, Loads(), Facts)
    with pytest.raises(StoreError):
        fresh.get()
    database.write(lambda c: c.exec_driver_sql("ALTER TABLE gone RENAME TO facts"))


def test_nobody_changes_what_others_have_too(state: State) -> None:
    home = Asset("home", "building", attributes={"a": {"b": [1]}}, sensors_to_show=[1, {"c": 2}])
    number = state.assets.add(home)
    found = state.assets.get(number)
    assert found == home
    attempts: list[Any] = [
        lambda: found.attributes.update(x=1),
        lambda: found.attributes["a"].pop("b"),
        lambda: found.attributes["a"]["b"].append(2),
        found.sensors_to_show.sort,
        lambda: found.sensors_to_show[1].setdefault("d", 1),
    ]
    for attempt in attempts:
        with pytest.raises(TypeError, match="a copy of it"):
            attempt()
    assert state.assets.get(number) == home
    changed = replace(home, attributes=found.attributes | {"x": 1})
    state.assets.change(number, changed)
    assert state.assets.get(number) == changed
    every = dict(state.assets.all())
    every.clear()
    assert state.assets.get(number) == changed


def test_frozen_json_is_json() -> None:
    plain = {"a": [1, {"b": None}], "c": "x"}
    cold = frozen(plain)
    assert cold == plain
    assert json.dumps(cold) == json.dumps(plain)
    for warm in (copy.deepcopy(cold), pickle.loads(pickle.dumps(cold))):  # noqa: S301 (our own)
        assert warm == plain
        assert type(warm) is dict
    copy.deepcopy(cold)["a"][1]["b"] = 2
    assert type(cold.copy()) is dict
    assert type(cold["a"].copy()) is list
    assert type(copy.deepcopy(cold["a"])) is list
    assert cold == plain


def test_rows_that_are_deleted_with_others_count_as_written_to(database: Database) -> None:
    loads = Loads()
    kept = Kept(database, loads, Facts)
    kept.get()
    database.execute(sa.delete(Users))
    assert kept.get() == {}
    assert loads.n == 1
