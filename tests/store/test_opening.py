import errno
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flexedge.domain.asset import Sensor
from flexedge.errors import StoreDamaged, StoreError
from flexedge.store import opening
from flexedge.store.opening import open_state
from flexedge.store.snapshots import Snapshots
from flexedge.store.state import State
from flexedge.store.tables.migrate import migrate
from tests.store.local.damaging import spoil

NOW = datetime(2026, 11, 26, 1, 2, 3, tzinfo=UTC)


def remembered(folder: Path, value: str) -> None:
    state = State(folder / "state.db")
    state.remember("value", value)
    for n in range(40):
        state.sensor_id(Sensor(f"asset-{n}.power", "kW"))
    state.close()


def opened(folder: Path) -> tuple[str | None, str]:
    state, alarm = open_state(folder, NOW)
    try:
        return state.fact("value"), alarm
    finally:
        state.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state with value "new" and a snapshot of it with value "old"."""
    remembered(tmp_path, "old")
    Snapshots(tmp_path).take(NOW)
    remembered(tmp_path, "new")
    return tmp_path


def test_all_is_well_at_first_and_later(tmp_path: Path) -> None:
    assert opened(tmp_path) == (None, "")
    remembered(tmp_path, "new")
    assert opened(tmp_path) == ("new", "")
    assert not (tmp_path / "quarantine").exists()
    assert not (tmp_path / "backup").exists()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "garbage": lambda _: b"this is no database " * 2000,
    "cut short": lambda data: data[: len(data) // 2],
    "a header that says read only": lambda data: data[:18] + b"\x07" + data[19:],
    "a page of zeros": lambda data: data[:4096] + bytes(4096) + data[8192:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_is_kept_and_the_snapshot_takes_its_place(
    folder: Path, damage: str
) -> None:
    damaged = DAMAGES[damage]((folder / "state.db").read_bytes())
    (folder / "state.db").write_bytes(damaged)
    value, alarm = opened(folder)
    assert value == "old"
    assert alarm.startswith(
        "state.db was damaged; what is left is kept as quarantine/state.db.20261126T010203;"
        " the snapshot of 2026-11-26 01:02 UTC took its place: "
    )
    state = State(folder / "state.db")
    assert [(entry.at, entry.what) for entry in state.audit.newest()] == [(NOW, alarm)]
    state.close()
    kept = folder / "quarantine" / "state.db.20261126T010203"
    assert kept.read_bytes()[:16384] == damaged[:16384]
    assert opened(folder) == ("old", "")


def test_what_lay_beside_a_damaged_state_goes_with_it(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "state.db")) as connection:
        connection.execute("UPDATE facts SET value = 'in the log'")
        connection.commit()
        log = (folder / "state.db-wal").read_bytes()
    (folder / "state.db").write_bytes(b"this is no database " * 2000)
    (folder / "state.db-wal").write_bytes(log)
    assert opened(folder)[0] == "old"


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_a_state_that_is_gone_comes_back(folder: Path, left: str) -> None:
    (folder / "state.db").unlink()
    if left != "nothing":
        (folder / "state.db").touch()
    value, alarm = opened(folder)
    assert value == "old"
    assert "took its place" in alarm


def test_a_damaged_snapshot_is_passed_over(folder: Path) -> None:
    newest = Snapshots(folder).take(NOW)
    newest.path.write_bytes(newest.path.read_bytes()[:9000])
    (folder / "state.db").write_bytes(b"this is no database " * 2000)
    assert opened(folder)[0] == "old"


def test_without_a_good_snapshot_a_new_state_begins(folder: Path) -> None:
    for one in Snapshots(folder).newest_first():
        one.path.write_bytes(b"nor is this" * 1000)
    (folder / "state.db").write_bytes(b"this is no database " * 2000)
    value, alarm = opened(folder)
    assert value is None
    assert "a new one was begun, the gateway has no owner now" in alarm
    assert (folder / "quarantine" / "state.db.20261126T010203").exists()


def test_nothing_is_overwritten_in_quarantine(folder: Path) -> None:
    for n in range(3):
        (folder / "state.db").write_bytes(b"no database %d" % n * 2000)
        opened(folder)
    aside = [path for path in (folder / "quarantine").iterdir() if not path.name.endswith("-mark")]
    kept = [path.read_bytes()[:13] for path in aside]
    assert sorted(kept) == [b"no database 0", b"no database 1", b"no database 2"]


def test_a_lost_table_counts_as_damage(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "state.db")) as connection, connection:
        connection.execute("DROP TABLE cursors")
    value, alarm = opened(folder)
    assert value == "old"
    assert "its tables are not what they were made as" in alarm


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE facts SET value = 'nev'",
        "UPDATE leases SET control = 'car.powes'",
        "UPDATE sessions SET seen = seen + 1",
        "UPDATE sensors SET unit = 'MW' WHERE id = 3",
        "UPDATE meta SET value = '0002' WHERE name = 'readable-from'",
        "UPDATE alembic_version SET version_num = '0007'",
    ],
)
def test_a_value_that_changed_counts_as_damage(folder: Path, change: str) -> None:
    state = State(folder / "state.db")
    state.hold("car.power", NOW)
    state.open_session("token", NOW)
    state.close()
    with closing(sqlite3.connect(folder / "state.db")) as connection, connection:
        assert connection.execute(change).rowcount == 1
    value, alarm = opened(folder)
    assert value == "old"
    assert "the snapshot of 2026-11-26 01:02 UTC took its place: " in alarm
    assert (folder / "quarantine" / "state.db.20261126T010203").exists()
    assert opened(folder) == ("old", "")


def test_an_index_that_lost_a_key_counts_as_damage(folder: Path) -> None:
    data = (folder / "state.db").read_bytes()
    first, _, last = data.rpartition(b"asset-7.power")
    assert first.count(b"asset-7.power") > 0  # in the table, and in its indexes
    (folder / "state.db").write_bytes(first + b"asset-7.powes" + last)
    assert opened(folder)[0] == "old"


def test_on_a_sick_disk_nothing_is_touched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "state.db").write_bytes(b"this is no database " * 2000)
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))

    def fail(_number: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="cannot be written: Input/output error") as caught:
        open_state(folder, NOW)
    assert not isinstance(caught.value, StoreDamaged)
    monkeypatch.undo()
    after = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    assert [path for path in after if path.name != "probe"] == before


def test_damage_that_passes_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = (folder / "state.db").read_bytes()
    (folder / "state.db").write_bytes(b"this is no database " * 2000)
    monkeypatch.setattr(  # the disk is well again when it was probed
        opening, "probe", lambda place: (place / "state.db").write_bytes(good)
    )
    assert opened(folder) == ("new", "")
    assert not (folder / "quarantine").exists()


def test_a_snapshot_is_taken_before_a_migration(tmp_path: Path) -> None:
    migrate(tmp_path / "state.db", "0001")
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection, connection:
        connection.execute("INSERT INTO facts VALUES ('value', 'new')")
    assert opened(tmp_path) == ("new", "")
    (taken,) = Snapshots(tmp_path).newest_first()
    with closing(sqlite3.connect(taken.path)) as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [("0001",)]
        assert connection.execute("SELECT * FROM facts").fetchall() == [("value", "new")]


def test_a_state_that_is_too_new_is_left_alone(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "state.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
        connection.execute("DELETE FROM meta")
    with pytest.raises(StoreError, match="a newer version"):
        open_state(folder, NOW)
    assert not (folder / "quarantine").exists()


@pytest.mark.parametrize("seed", range(8))
def test_any_flipped_bit_or_lost_end_is_survived(folder: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (chance by seed)
    good = (folder / "state.db").read_bytes()
    for _ in range(10):
        data = bytearray(good)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        else:
            data[chance.choice((chance.randrange(200), chance.randrange(len(data))))] ^= (
                1 << chance.randrange(8)
            )
        (folder / "state.db").write_bytes(data)
        value, alarm = opened(folder)
        put_back = alarm and "lacks its last" not in alarm  # a bit of the count flipped
        assert value == "old" if put_back else value is not None


def logged(folder: Path) -> Path:
    """A state as a power cut leaves it, with a snapshot of its start; the log beside it."""
    live = folder / "live"
    live.mkdir()
    state = State(live / "state.db")
    state.remember("value", "old")
    Snapshots(live).take(NOW)
    for n in range(30):
        state.remember("value", f"{n}")
    for path in live.glob("state.db*"):
        shutil.copy(path, folder)
    shutil.copytree(live / "backup", folder / "backup")
    state.close()
    return folder / "state.db-wal"


def test_damage_in_the_log_is_found(tmp_path: Path) -> None:
    log = logged(tmp_path)
    spoil(log)
    value, alarm = opened(tmp_path)
    assert value == "old"
    assert "commits follow the damaged place" in alarm
    assert "took its place" in alarm
    assert opened(tmp_path) == ("old", "")


def test_a_log_that_was_cut_off_is_told(tmp_path: Path) -> None:
    log = logged(tmp_path)
    log.write_bytes(log.read_bytes()[: log.stat().st_size * 2 // 3])
    value, alarm = opened(tmp_path)
    assert value is not None
    missing = 29 - int(value)
    assert 5 < missing < 25
    assert alarm == f"state.db lacks its last {missing} changes: the log beside it was damaged"
    assert opened(tmp_path) == (value, "")


def test_a_whole_log_is_no_reason_for_an_alarm(tmp_path: Path) -> None:
    logged(tmp_path)
    assert opened(tmp_path) == ("29", "")
