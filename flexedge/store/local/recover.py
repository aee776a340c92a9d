"""The start: what a power cut or a bad disk left is put right, and every finding is told."""

import contextlib
import itertools
import os
import re
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

from flexedge.errors import StoreDamaged, StoreError, StoreFull, StoreUnwritable
from flexedge.store.local import ballast, durable, partition
from flexedge.store.local.engine import Engine
from flexedge.store.local.journal import Journal
from flexedge.store.local.partition import PARTIAL, Partition

JOURNAL = "journal.db"
Tell = Callable[[str], None]
_PARTITION = re.compile(r"\d{12,}-\d{12,}-\d+-\d+\.parquet")
_PROBE = b"flexedge probes the disk\n" * 2600  # more than SQLite needs to open a file


def probe(folder: Path) -> None:
    """Write, sync, read and remove a small file. Raises ``StoreError`` when the disk cannot.

    ``StoreFull`` and ``StoreUnwritable`` where it is one of these.
    """
    path = folder / "probe"
    try:
        with path.open("wb") as file:
            file.write(_PROBE)
            file.flush()
            os.fsync(file.fileno())
        same = path.read_bytes() == _PROBE
        path.unlink()
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        raise durable.failed(f"{folder} cannot be written", error) from error
    if not same:
        raise StoreError(f"{folder} does not give back what was written to it")


def present(folder: Path) -> None:
    """Whether the disk with the data is there and takes writes. Raises ``StoreError`` if not.

    Where it is not mounted there may be an empty folder in its place.
    """
    probe(folder)
    demand_mounted(folder)


def demand_mounted(folder: Path) -> None:
    """Raise ``StoreUnwritable`` when the data are not where they were."""
    if durable.size(folder / JOURNAL) is None:
        raise StoreUnwritable(f"{folder} is empty: the disk with the data is not mounted")


def set_aside(quarantine: Path, path: Path, now: datetime) -> Path:
    """Move a damaged file, and what SQLite keeps beside it, where nobody reads it."""
    durable.make_folder(quarantine)
    name = f"{path.name}.{now:%Y%m%dT%H%M%S}"
    aside = quarantine / name
    for number in itertools.count(2):  # without a clock of its own it is 1970 at every boot
        if not aside.exists():
            break
        aside = quarantine / f"{name}-{number}"
    for end in ("-wal", "-shm", ""):
        part = path.with_name(path.name + end)
        if part.exists():
            durable.put_in_place(part, aside.with_name(aside.name + end))
    durable.sync_folder(path.parent)
    return aside


def opened(engine: Engine, folder: Path, now: datetime, tell: Tell) -> Journal:
    """The journal of a folder, and all in it put right.

    Where there is no room to open it, the ballast and then the oldest readings make some. Raises
    ``StoreUnwritable`` when the disk takes no writes.
    """
    while True:
        try:
            probe(folder)
            journal = open_journal(folder, now, tell)
            try:
                settle(engine, journal, folder, now, tell)
            except BaseException:
                journal.close()
                raise
        except StoreFull as error:
            spared = _spared(folder)
            if not spared:
                raise StoreFull(f"there is no room to open {folder}; remove other files from the disk") from error  # fmt: skip  # noqa: E501
            tell(f"there was no room to open {folder}: let go of {spared}; free some")
        else:
            return journal


def _spared(folder: Path) -> str:
    """Remove what may go so that a journal can be opened; "" where there is nothing."""
    if ballast.release(folder):
        return "the ballast"
    names = sorted(name for name in _files(folder / "history") if name.startswith("readings/"))
    if len(names) < 2:  # noqa: PLR2004 (the newest stay)
        return ""
    durable.remove(folder / "history" / names[0])
    durable.sync_folder(folder / "history" / "readings")
    return names[0]


def open_journal(folder: Path, now: datetime, tell: Tell) -> Journal:
    """The journal; a damaged one is set aside and all that can be read of it goes into a new one.

    Raises ``StoreError`` when the disk is at fault rather than the file: nothing is touched then.
    """
    path = folder / JOURNAL
    try:
        journal = Journal(path)
    except StoreDamaged as error:
        probe(folder)  # after an I/O error a sound file may look damaged
        aside = set_aside(folder / "quarantine", path, now)
        journal = Journal(path)
        saved = journal.salvage(aside)
        tell(f"journal.db was damaged and is kept as quarantine/{aside.name};"
             f" {saved} rows could be read from it: {error}")  # fmt: skip
    bad = journal.damaged()
    if bad:
        durable.make_folder(folder / "quarantine")
        for number, data in bad:
            (folder / "quarantine" / f"batch-{number}.{now:%Y%m%dT%H%M%S}").write_bytes(data)
        journal.drop([number for number, _ in bad])
        tell(f"{len(bad)} batches of journal.db did not fit their checksums, kept in quarantine/")
    return journal


def settle(engine: Engine, journal: Journal, folder: Path, now: datetime, tell: Tell) -> None:
    """Make files and manifest agree."""
    history = folder / "history"
    for kind in partition.KINDS:
        durable.make_folder(history / kind)
    found = _files(history)
    if journal.begun and found:
        _adopt(engine, journal, folder, sorted(found), now, tell)
    listed = {one.name for one in journal.partitions()}
    clear(history, listed)
    gone = sorted(listed - found)
    if gone:
        journal.exchange([], gone)
        tell(f"{len(gone)} partitions are gone from history/: {', '.join(gone)}")


def _files(history: Path) -> set[str]:
    return {
        f"{path.parent.name}/{path.name}"
        for path in history.glob("*/*")
        if _PARTITION.fullmatch(path.name)
    }


def clear(history: Path, known: Collection[str]) -> None:
    """Remove partitions that nobody knows and those that were never finished."""
    for path in history.glob(f"*/*{PARTIAL}"):
        durable.remove(path)
    for name in sorted(_files(history).difference(known)):
        durable.remove(history / name)


def _adopt(
    engine: Engine, journal: Journal, folder: Path, names: list[str], now: datetime, tell: Tell
) -> None:
    """Make a manifest out of what files say of themselves."""
    good: list[Partition] = []
    for name in names:
        try:
            good.append(partition.adopted(engine, folder / "history", name))
        except (StoreError, KeyError, ValueError) as error:
            aside = set_aside(folder / "quarantine", folder / "history" / name, now)
            tell(f"{name} was damaged and is kept as quarantine/{aside.name}: {error}")
    kept = [one for one in good if not any(_covers(other, one) for other in good)]
    rolled = [one.hi for one in kept if one.kind == "minutes"]
    taken = [
        batch.seq
        for batch in journal.batches(0)
        if any(one.kind == batch.kind and one.lo <= batch.seq <= one.hi for one in kept)
    ]
    facts = {"rolled": max(rolled, default=0), "replaced": 1}
    journal.exchange(kept, facts=facts, taken=taken)
    tell(f"the manifest was lost and made anew from {len(kept)} partitions")


def _covers(other: Partition, one: Partition) -> bool:
    """Whether another partition has taken the rows of one over."""
    return (
        other.kind == one.kind
        and other.name != one.name
        and other.lo <= one.lo
        and one.hi <= other.hi
        and (other.level, one.name) > (one.level, other.name)
    )
