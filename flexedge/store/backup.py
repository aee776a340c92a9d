"""Backups of a gateway: its state and its readings in one file, made while it runs."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from flexedge import __version__
from flexedge.errors import StoreDamaged, StoreError
from flexedge.store import bundle, lock, sqlite, swap
from flexedge.store.bundle import Item, Manifest
from flexedge.store.local import durable
from flexedge.store.snapshots import STATE, Snapshots
from flexedge.store.tables.database import Database
from flexedge.store.tables.revisions import demand_usable, look
from flexedge.store.tables.seals import demand_sealed

JOURNAL, HISTORY = "journal.db", "history"
_TRIES = 5  # each needs a compaction in the middle of the one before, which is hourly
_SPARE = 16 << 20  # bytes that are left free beside what is unpacked


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = error.filename or path
        raise StoreError(f"{place}: {error.strerror or error}") from error


def create(folder: Path, target: Path, now: datetime) -> Manifest:
    """Write a backup of a data folder that may be in use; whole under its name, or not there.

    Raises ``StoreError``, also where there is something with that name.
    """
    if target.exists():
        raise StoreError(f"{target} is there already; choose another name")
    if not (folder / STATE).exists():
        raise StoreError(f"{folder} holds nothing yet")
    with _told(target), tempfile.TemporaryDirectory(
        dir=target.parent, prefix=f".{target.name}."
    ) as scratch:  # fmt: skip
        partial = Path(scratch) / "partial"
        for left in reversed(range(_TRIES)):
            try:
                manifest = _write(folder, Path(scratch), partial, now)
                break
            except bundle.Gone as error:
                if not left:
                    raise StoreDamaged(f"{error}; 'flexedge db repair' takes it out") from error
        durable.put_in_place(partial, target)
    return manifest


def _write(folder: Path, scratch: Path, partial: Path, now: datetime) -> Manifest:
    """Copy the databases, first the state: the journal's catalogue then knows all it knows."""
    sources: dict[str, Path] = {}
    for name in (STATE, JOURNAL):
        if (folder / name).exists():
            sources[name] = scratch / name
            sources[name].unlink(missing_ok=True)
            sqlite.copy(folder / name, sources[name])
    demand_sealed(sources[STATE])
    items = [Item(n, p.stat().st_size, durable.sha256(p)) for n, p in sources.items()]
    if JOURNAL in sources:
        for item in _partitions(sources[JOURNAL]):
            items.append(item)
            sources[item.name] = folder / item.name
    manifest = Manifest(
        now.astimezone(UTC).isoformat(timespec="seconds"),
        __version__,
        _revision(sources[STATE]),
        tuple(items),
    )
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        bundle.pack(out, manifest, sources, now)
        out.flush()
        os.fsync(out.fileno())
    return manifest


def _partitions(journal: Path) -> list[Item]:
    found = sqlite.rows(journal, "select name, size, sha256 from partitions order by name")
    return [Item(f"{HISTORY}/{name}", size, digest) for name, size, digest in found]


def _revision(state: Path) -> str:
    rows = sqlite.rows(state, "select version_num from alembic_version")
    return str(rows[0][0]) if rows else ""


def verify(file: IO[bytes]) -> Manifest:
    """Read a whole backup: every checksum, both databases, and whether they fit together.

    Unpacks the databases into the temporary folder (TMPDIR). Raises ``StoreError``.
    """
    with tempfile.TemporaryDirectory(prefix="flexedge-verify-") as scratch:
        folder = Path(scratch)
        with _told(folder):
            return _unpack(file, folder, databases_only=True)


def restore(file: IO[bytes], folder: Path, now: datetime, *, force: bool = False) -> Manifest:
    """Put a backup in the place of the state and the readings of a data folder.

    Needs the folder for itself. A power cut leaves the old or the new. Snapshots and quarantine
    stay, and the restored state is the newest snapshot. Raises ``StoreLocked``; ``StoreError`` for
    a folder in use without ``force``, for a backup that is not whole, and for a full disk.
    """
    durable.make_folder(folder)
    with lock.hold(folder), _told(folder):
        swap.finish(folder)
        if not force and any((folder / name).exists() for name in (STATE, JOURNAL, HISTORY)):
            raise StoreError(
                f"{folder} holds a state or readings already, which --force would replace"
            )
        new = swap.begin(folder)
        try:
            manifest = _unpack(file, new)
        except BaseException:
            swap.finish(folder)  # nothing was decided: drops what was unpacked
            raise
        swap.decide(folder, swap.SERIES)
        with contextlib.suppress(StoreError):  # the gateway takes one within an hour, too
            Snapshots(folder).take(now)
    return manifest


@dataclass(slots=True)
class _Room:
    """How much more may be unpacked."""

    folder: Path

    def demand(self, size: int) -> None:
        free = shutil.disk_usage(self.folder).free - _SPARE
        if size > free:
            raise StoreError(
                f"{self.folder} has room for {max(free, 0) / 1e6:.0f} MB,"
                f" but {size / 1e6:.0f} MB are to be unpacked"
            )


def _unpack(file: IO[bytes], folder: Path, *, databases_only: bool = False) -> Manifest:
    manifest = bundle.look(file)
    wanted = [item for item in manifest.items if not databases_only or "/" not in item.name]
    _Room(folder).demand(sum(item.size for item in wanted))
    for item, pieces in bundle.contents(file, manifest):
        if item in wanted:
            path = folder / item.name
            durable.make_folder(path.parent)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.writelines(pieces)
    _demand_whole(folder, manifest)
    return manifest


def _demand_whole(folder: Path, manifest: Manifest) -> None:
    """Both databases are sound, ours, and all that the journal counts on is there."""
    listed = {item for item in manifest.items if "/" in item.name}
    with ExitStack() as stack:
        state = folder / STATE
        if not state.exists():
            raise StoreDamaged(f"this backup holds no {STATE}")
        sqlite.check(state, whole=True)
        demand_sealed(state)
        database = Database(state)
        stack.callback(database.close)
        found = look(database)
        if found.revision is None:
            raise StoreDamaged(f"the {STATE} in this backup holds no state")
        demand_usable(STATE, found)
    counted: set[Item] = set()
    if (folder / JOURNAL).exists():
        sqlite.check(folder / JOURNAL, whole=True)
        counted = set(_partitions(folder / JOURNAL))
    if listed != counted:
        raise StoreDamaged("the journal in this backup counts on other files than there are")
