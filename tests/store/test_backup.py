import errno
import hashlib
import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from flexedge import __version__
from flexedge.domain.asset import Sensor
from flexedge.errors import StoreDamaged, StoreError, StoreLocked
from flexedge.store import backup, bundle, swap
from flexedge.store.backup import create, restore, verify
from flexedge.store.local.archive import LocalArchive
from flexedge.store.lock import hold
from flexedge.store.opening import open_state
from flexedge.store.rows import Beliefs, Readings
from flexedge.store.snapshots import Snapshots
from flexedge.store.state import State
from tests.store.local.rows_made import STAMP, some

NOW = datetime(2026, 11, 26, 1, 15, tzinfo=UTC)
LAST = datetime(1970, 1, 2, tzinfo=UTC)
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
SENSORS = [Sensor("battery.power", "kW"), Sensor("pv.power", "kW")]


class Gateway:
    """A data folder in use: state and readings, some in partitions and some in the journal."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.state = State(folder / "state.db")
        self.archive = LocalArchive(folder, NOW)

    def live(self) -> None:
        for number, sensor in enumerate(SENSORS):
            assert self.state.sensor_id(sensor) == number + 1
        self.state.remember("web.password", "a hash")
        self.state.hold("battery.power", NOW)
        self.archive.commit(some(200), Beliefs.empty(), STAMP)
        self.archive.maintain(BEGIN)
        self.archive.commit(some(100, start=200), Beliefs.empty(), STAMP)

    def readings(self) -> Readings:
        return self.archive.readings([0, 1], BEGIN, LAST)

    def close(self) -> None:
        self.state.close()
        self.archive.close()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path / "data")
    gateway.live()
    yield gateway
    gateway.close()


@pytest.fixture
def made(gateway: Gateway, tmp_path: Path) -> Path:
    """A backup of a gateway that runs."""
    create(gateway.folder, tmp_path / "backup.tar", NOW)
    return tmp_path / "backup.tar"


def put(made: Path, folder: Path, *, force: bool = False) -> None:
    with made.open("rb") as file:
        restore(file, folder, NOW, force=force)


def test_create_wipe_restore_gives_the_same_state_and_readings(
    gateway: Gateway, made: Path, tmp_path: Path
) -> None:
    before = gateway.readings()
    assert len(before) == 300
    put(made, tmp_path / "new")
    again = Gateway(tmp_path / "new")
    for name, column in again.readings().columns().items():
        np.testing.assert_array_equal(column, before.columns()[name])
    assert again.archive.alarms == []
    assert again.state.fact("web.password") == "a hash"
    assert again.state.held() == {"battery.power": NOW}
    assert again.state.sensors() == gateway.state.sensors()
    again.close()
    tables = [sqlite_rows(place / "state.db") for place in (gateway.folder, tmp_path / "new")]
    assert tables[0] == tables[1]


def sqlite_rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        names = [name for (name,) in connection.execute(query)]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def test_a_backup_says_what_it_holds(gateway: Gateway, made: Path, tmp_path: Path) -> None:
    with made.open("rb") as file:
        manifest = verify(file)
    assert manifest.made == "2026-11-26T01:15:00+00:00"
    assert manifest.flexedge == __version__
    assert manifest.revision == "0006"
    names = [item.name for item in manifest.items]
    assert names[:2] == ["state.db", "journal.db"]
    assert {Path(name).parent.as_posix() for name in names[2:]} >= {"history/readings"}
    assert made.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "data"]
    assert gateway.state.fact("web.password") == "a hash"


def test_credentials_are_in_no_backup(gateway: Gateway, tmp_path: Path) -> None:
    folder = gateway.folder / "centres"
    folder.mkdir()
    (folder / "main.json").write_text("the-secret-password")
    create(gateway.folder, tmp_path / "other.tar", NOW)
    content = (tmp_path / "other.tar").read_bytes()
    assert b"the-secret-password" not in content
    assert b"centres/" not in content
    with (tmp_path / "other.tar").open("rb") as file:
        restore(file, tmp_path / "new", NOW)
    assert not (tmp_path / "new" / "centres").exists()


def test_nothing_is_overwritten_and_nothing_is_made_of_nothing(made: Path, tmp_path: Path) -> None:
    before = made.read_bytes()
    with pytest.raises(StoreError, match="is there already"):
        create(tmp_path / "data", made, NOW)
    assert made.read_bytes() == before
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError, match="holds nothing yet"):
        create(tmp_path / "empty", tmp_path / "x.tar", NOW)


def test_a_gateway_without_readings_can_be_kept_too(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    State(tmp_path / "data" / "state.db").close()
    create(tmp_path / "data", tmp_path / "x.tar", NOW)
    put(tmp_path / "x.tar", tmp_path / "new")
    assert not (tmp_path / "new" / "journal.db").exists()


def test_a_compaction_in_between_is_followed(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = next((gateway.folder / "history" / "readings").glob("*.parquet"))
    real, calls = bundle.pack, []

    def pack(*args: object) -> None:
        calls.append(first.exists())
        if len(calls) == 1:
            gateway.archive.delete(1, None, None, None)  # rewrites the partition
            assert not first.exists()
        real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bundle, "pack", pack)
    create(gateway.folder, tmp_path / "x.tar", NOW)
    assert calls == [True, False]
    put(tmp_path / "x.tar", tmp_path / "new")
    again = Gateway(tmp_path / "new")
    assert set(again.readings().sensor.tolist()) == {0}
    again.close()


def test_a_partition_that_is_gone_or_damaged_is_told(gateway: Gateway, tmp_path: Path) -> None:
    path = next((gateway.folder / "history" / "readings").glob("*.parquet"))
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"?")
    with pytest.raises(StoreDamaged, match=f"{path.name} does not fit its checksum"):
        create(gateway.folder, tmp_path / "x.tar", NOW)
    path.unlink()
    with pytest.raises(StoreDamaged, match=f"{path.name} is gone; 'flexedge db repair'"):
        create(gateway.folder, tmp_path / "x.tar", NOW)
    assert not (tmp_path / "x.tar").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_value_that_changed_in_the_state_is_told(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.close()
    with closing(sqlite3.connect(gateway.folder / "state.db")) as connection, connection:
        connection.execute("UPDATE facts SET value = 'another'")
    with pytest.raises(StoreDamaged, match=r"the row 'web\.password' of facts"):
        create(gateway.folder, tmp_path / "x.tar", NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    monkeypatch.setattr(backup, "demand_sealed", lambda _: None)  # as an older version made them
    create(gateway.folder, tmp_path / "x.tar", NOW)
    monkeypatch.undo()
    with (tmp_path / "x.tar").open("rb") as file, pytest.raises(StoreDamaged, match="facts"):
        verify(file)


def test_a_full_disk_leaves_no_half_backup(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        create(gateway.folder, tmp_path / "x.tar", NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_folder_in_use_is_replaced_only_by_force(gateway: Gateway, made: Path) -> None:
    gateway.state.remember("web.password", "another")
    Snapshots(gateway.folder).take(NOW)
    with pytest.raises(StoreError, match="--force would replace"):
        put(made, gateway.folder)
    gateway.close()
    (gateway.folder / "claim-code").write_text("old")
    put(made, gateway.folder, force=True)
    assert not (gateway.folder / "claim-code").exists()
    again = Gateway(gateway.folder)
    assert again.state.fact("web.password") == "a hash"
    assert len(again.readings()) == 300
    again.close()
    # Should the state be damaged now, it is the restored one that comes back.
    (gateway.folder / "state.db").write_bytes(b"no database " * 2000)
    state, alarm = open_state(gateway.folder, NOW + timedelta(days=1))
    assert alarm
    assert state.fact("web.password") == "a hash"
    state.close()
    # What was there before can still be found.
    assert len(Snapshots(gateway.folder).newest_first()) == 2


def test_restore_needs_the_folder_for_itself(gateway: Gateway, made: Path) -> None:
    with hold(gateway.folder), pytest.raises(StoreLocked):
        put(made, gateway.folder, force=True)
    assert gateway.state.fact("web.password") == "a hash"


def test_a_damaged_backup_leaves_what_was_there(gateway: Gateway, made: Path) -> None:
    data = bytearray(made.read_bytes())
    data[-20_000] ^= 1
    made.write_bytes(data)
    before = sorted(path for path in gateway.folder.rglob("*") if path.name != "lock")
    with made.open("rb") as file, pytest.raises(StoreDamaged, match="checksum"):
        verify(file)
    with pytest.raises(StoreDamaged, match="checksum"):
        put(made, gateway.folder, force=True)
    assert sorted(path for path in gateway.folder.rglob("*") if path.name != "lock") == before


def test_a_power_cut_leaves_the_old_or_the_new(
    gateway: Gateway, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.state.remember("web.password", "newer")
    gateway.close()

    class PowerCut(BaseException):
        pass

    def cut(*_args: object) -> None:
        raise PowerCut

    monkeypatch.setattr(swap, "_complete", cut)
    with pytest.raises(PowerCut):
        put(made, gateway.folder, force=True)
    monkeypatch.undo()
    with closing(sqlite3.connect(gateway.folder / "state.db")) as connection:
        assert connection.execute("SELECT value FROM facts").fetchall() == [("newer",)]
    swap.finish(gateway.folder)  # as the next start does
    again = Gateway(gateway.folder)
    assert again.state.fact("web.password") == "a hash"
    assert len(again.readings()) == 300
    again.close()


def test_no_room_is_told_before_anything_is_unpacked(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_SPARE", 1 << 60)
    with pytest.raises(StoreError, match="has room for 0 MB"):
        put(made, tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["lock"]


def repacked(made: Path, change: dict[str, bytes | None]) -> io.BytesIO:
    """The backup with other content (None: left out), and a manifest that fits it."""
    files: dict[str, bytes] = {}
    with tarfile.open(made) as tar:
        for member in tar.getmembers():
            reader = tar.extractfile(member)
            assert reader is not None
            files[member.name] = reader.read()
    about = json.loads(files.pop("manifest.json"))
    for name, data in change.items():
        files.pop(name, None)
        if data is not None:
            files[name] = data
    folder = made.parent / "repacked"
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    items = tuple(
        bundle.Item(name, len(data), hashlib.sha256(data).hexdigest())
        for name, data in files.items()
    )
    manifest = bundle.Manifest(about["made"], about["flexedge"], about["revision"], items)
    out = io.BytesIO()
    bundle.pack(out, manifest, {name: folder / name for name in files}, NOW)
    out.seek(0)
    return out


def test_a_backup_must_hold_what_belongs_together(made: Path, tmp_path: Path) -> None:
    with made.open("rb") as file:
        partition = bundle.look(file).items[2].name
    with closing(sqlite3.connect(tmp_path / "blank.db")) as connection:
        connection.execute("CREATE TABLE x (y)")
    newer = tmp_path / "newer.db"
    State(newer).close()
    with closing(sqlite3.connect(newer)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
        connection.execute("DELETE FROM meta")
    cases: list[tuple[dict[str, bytes | None], str]] = [
        ({"state.db": None}, r"holds no state\.db"),
        ({"state.db": b"no database" * 100}, "not a database"),
        ({"state.db": (tmp_path / "blank.db").read_bytes()}, "holds no state"),
        ({"state.db": newer.read_bytes()}, "revision 0099"),
        ({"journal.db": b"no database" * 100}, "not a database"),
        ({"journal.db": None}, "counts on other files"),
        ({partition: None}, "counts on other files"),
        ({partition: b"other content"}, "counts on other files"),
    ]
    for change, words in cases:
        with pytest.raises(StoreError, match=words):
            verify(repacked(made, change))
    verify(repacked(made, {}))


def test_the_restored_state_is_the_newest_snapshot(made: Path, tmp_path: Path) -> None:
    put(made, tmp_path / "new")
    (snapshot,) = Snapshots(tmp_path / "new").newest_first()
    assert snapshot.made == NOW
