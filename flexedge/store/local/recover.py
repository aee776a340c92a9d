"""The start: what a power cut or a bad disk left is put right, and every finding is told."""

import contextlib
import itertools
import os
import re
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

from flexedge.errors import StoreDamaged, StoreError, StoreFull, StoreUnwritable
from flexedge.store.buckets import HOURS_US
from flexedge.store.local import ballast, durable, partition
from flexedge.store.local.engine import Engine
from flexedge.store.local.journal import Journal
from flexedge.store.local.partition import PARTIAL, Partition
from flexedge.store.sqlite import BESIDE

JOURNAL = "journal.db"
_MAKING, _MADE = "journal.db.making", "journal.db.made"
"""A journal out of what can be read of a damaged one; the second is whole and takes its place."""
Tell = Callable[[str], None]
_PARTITION = re.compile(r"\d{12,}-\d{12,}-\d+-\d+\.parquet")
_LITTLE = 1 << 20
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
    for end in (*BESIDE, ""):
        part = path.with_name(path.name + end)
        if part.exists():
            durable.put_in_place(part, aside.with_name(aside.name + end))
    durable.sync_folder(path.parent)
    return aside


def opened(engine: Engine, folder: Path, now: datetime, tell: Tell) -> Journal:
    """The journal of a folder, and all in it put right. Room is made as ``demand_room`` does."""
    while True:
        demand_room(folder, tell)
        try:
            journal = open_journal(folder, now, tell)
            try:
                settle(engine, journal, folder, now, tell)
            except BaseException:
                journal.close()
                raise
        except StoreFull as error:
            _spare(folder, tell, error)
        else:
            return journal


def demand_room(folder: Path, tell: Tell) -> None:
    """See that files can be opened: where there is no room, ballast and the oldest readings go.

    Raises ``StoreFull`` where nothing may go, ``StoreUnwritable`` when the disk takes no writes.
    """
    while True:
        try:
            return probe(folder)
        except StoreFull as error:
            _spare(folder, tell, error)


def _spare(folder: Path, tell: Tell, full: StoreFull) -> None:
    """Remove what may go so that files can be opened.

    Readings go only where the disk has no room: more of it would not help against another limit.
    """
    spared = "the ballast" if ballast.release(folder) else ""
    readings = sorted(one for one in listing(folder / "history") if one.startswith("readings/"))
    if not spared and len(readings) > 1 and _room(folder) < _LITTLE:  # the newest stay
        spared = readings[0]
        durable.remove(folder / "history" / spared)
        durable.sync_folder(folder / "history" / "readings")
    if not spared:
        words = f"there is no room to open {folder}; remove other files from the disk"
        raise StoreFull(words) from full
    tell(f"there was no room to open {folder}: let go of {spared}; free some")


def _room(folder: Path) -> int:
    """Bytes that are free, for users other than root."""
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        raise durable.failed(str(folder), error) from error
    return disk.f_bavail * disk.f_frsize


def open_journal(folder: Path, now: datetime, tell: Tell) -> Journal:
    """The journal; a damaged one is set aside and all that can be read of it goes into a new one.

    Raises ``StoreError`` when the disk is at fault rather than the file: nothing is touched then.
    """
    path = folder / JOURNAL
    for left in folder.glob(f"{_MAKING}*"):
        durable.remove(left)
    if (folder / _MADE).exists():
        aside = _taken(folder, now)
        tell(f"journal.db was damaged and is kept as quarantine/{aside.name}")
    try:
        journal = Journal(path)
    except StoreDamaged as error:
        probe(folder)  # after an I/O error a sound file may look damaged
        saved = _made(folder)
        aside = _taken(folder, now)
        journal = Journal(path)
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


def _made(folder: Path) -> int:
    """Make a journal of what can be read of the damaged one, which stays; how many rows it has."""
    journal = Journal(folder / _MAKING)
    try:
        saved = journal.salvage(folder / JOURNAL)
    finally:
        journal.close()
    durable.sync_file(folder / _MAKING)
    durable.put_in_place(folder / _MAKING, folder / _MADE)
    return saved


def _taken(folder: Path, now: datetime) -> Path:
    """Put the journal that was made in the place of the damaged one; where that is now.

    To be done again after a power cut, whatever was moved by then.
    """
    aside = set_aside(folder / "quarantine", folder / JOURNAL, now)
    durable.put_in_place(folder / _MADE, folder / JOURNAL)
    return aside


def settle(engine: Engine, journal: Journal, folder: Path, now: datetime, tell: Tell) -> None:
    """Make files and manifest agree."""
    history = folder / "history"
    for kind in partition.KINDS:
        durable.make_folder(history / kind)
    found = listing(history)
    if journal.begun and found and not journal.partitions():
        _adopt(engine, journal, folder, sorted(found), now, tell)
    partitions = journal.partitions()
    gone = [one for one in partitions if one.name not in found]
    if gone:  # a file that nobody knows may be one whose row in the manifest is damaged
        for name in sorted(found - {one.name for one in partitions}):
            aside = set_aside(folder / "quarantine", history / name, now)
            tell(f"{name} is not in the manifest and is kept as quarantine/{aside.name}")
        rolled = partition.rolled_without(partitions, gone, journal.fact("rolled") or 0)
        names = sorted(one.name for one in gone)
        journal.exchange([], names, {"rolled": rolled})
        tell(f"{len(gone)} partitions are gone from history/: {', '.join(names)}")
    clear(history, {one.name for one in partitions})
    if journal.lacking:
        tell(f"journal.db lacks the newest {journal.lacking} batches that were in it:"
             " the log beside it was damaged")  # fmt: skip
    if journal.lacking or (journal.begun and journal.last):
        journal.accept()
    if journal.begun:
        journal.settled()


def listing(history: Path) -> set[str]:
    """The names of all partitions there are files of."""
    return {
        f"{path.parent.name}/{path.name}"
        for path in history.glob("*/*")
        if _PARTITION.fullmatch(path.name)
    }


def clear(history: Path, known: Collection[str]) -> None:
    """Remove partitions that nobody knows and those that were never finished."""
    for path in history.glob(f"*/*{PARTIAL}"):
        durable.remove(path)
    for name in sorted(listing(history).difference(known)):
        durable.remove(history / name)


def _adopt(
    engine: Engine, journal: Journal, folder: Path, names: list[str], now: datetime, tell: Tell
) -> None:
    """Make a manifest out of what files say of themselves."""
    good: list[Partition] = []
    for name in names:
        try:
            good.append(partition.adopted(engine, folder / "history", name))
        except (StoreFull, StoreUnwritable):
            raise  # on a sick disk sound files look damaged
        except (StoreError, KeyError, ValueError) as error:
            aside = set_aside(folder / "quarantine", folder / "history" / name, now)
            tell(f"{name} was damaged and is kept as quarantine/{aside.name}: {error}")
    kept = [one for one in good if not any(_covers(other, one) for other in good)]
    taken = [
        batch.seq
        for batch in journal.batches(0)
        if any(one.kind == batch.kind and one.lo <= batch.seq <= one.hi for one in kept)
    ]
    journal.exchange(kept, facts=_facts(kept), taken=taken)
    tell(f"the manifest was lost and made anew from {len(kept)} partitions")


def _facts(kept: Collection[Partition]) -> dict[str, int]:
    """What is put down beside a manifest that was made anew: all readings are summed up again.

    But for those of the first hour there are any of: others of that hour may have been let go.
    """
    first = [one.first_us for one in kept if one.kind == "readings"]
    facts = {"rolled": 0, "replaced": 1, "spread": 1}
    if first and any(one.kind in partition.SUMS for one in kept):
        facts["pruned"] = (min(first) // HOURS_US + 1) * HOURS_US
    return facts


def _covers(other: Partition, one: Partition) -> bool:
    """Whether another partition has taken the rows of one over."""
    return (
        other.kind == one.kind
        and other.name != one.name
        and other.lo <= one.lo
        and one.hi <= other.hi
        and ((other.lo, other.hi) != (one.lo, one.hi) or _later(other, one))
    )


def _later(other: Partition, one: Partition) -> bool:
    """Of two files of the same batches: whether the other one was written later."""
    return (other.level, partition.turn(other.name)) > (one.level, partition.turn(one.name))
