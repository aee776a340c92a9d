"""The start: what a power cut or a bad disk left is put right, and every finding is told."""

import itertools
import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store.local import durable, partition
from flexedge.store.local.engine import Engine
from flexedge.store.local.journal import Journal
from flexedge.store.local.partition import PARTIAL, Partition

Tell = Callable[[str], None]
_PARTITION = re.compile(r"\d{12,}-\d{12,}-\d+-\d+\.parquet")
_PROBE = b"flexedge probes the disk\n" * 200


def probe(folder: Path) -> None:
    """Write, sync, read and remove a small file. Raises ``StoreError`` when the disk cannot."""
    path = folder / "probe"
    try:
        with path.open("wb") as file:
            file.write(_PROBE)
            file.flush()
            os.fsync(file.fileno())
        same = path.read_bytes() == _PROBE
        path.unlink()
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror or error}") from error
    if not same:
        raise StoreError(f"{folder} does not give back what was written to it")


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


def open_journal(folder: Path, now: datetime, tell: Tell) -> Journal:
    """The journal; a damaged one is set aside and all that can be read of it goes into a new one.

    Raises ``StoreError`` when the disk is at fault rather than the file: nothing is touched then.
    """
    path = folder / "journal.db"
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
    found = {
        f"{path.parent.name}/{path.name}"
        for path in history.glob("*/*")
        if _PARTITION.fullmatch(path.name)
    }
    for path in history.glob(f"*/*{PARTIAL}"):
        durable.remove(path)
    if journal.begun and found:
        _adopt(engine, journal, folder, sorted(found), now, tell)
    listed = {one.name for one in journal.partitions()}
    for name in sorted(found - listed):
        durable.remove(history / name)
    gone = sorted(listed - found)
    if gone:
        journal.exchange([], gone)
        tell(f"{len(gone)} partitions are gone from history/: {', '.join(gone)}")


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
