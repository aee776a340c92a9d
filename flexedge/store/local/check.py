"""Whether what lies in a data folder is what was written; nothing is changed.

For a folder that this process holds, and that no gateway uses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flexedge.errors import StoreDamaged, StoreError, StoreFull, StoreUnwritable
from flexedge.store import sqlite
from flexedge.store.local import durable, partition
from flexedge.store.local.engine import Engine, Limits
from flexedge.store.local.journal import Journal
from flexedge.store.local.partition import SUMS, Partition
from flexedge.store.local.recover import JOURNAL, listing
from flexedge.store.snapshots import STATE, Snapshots
from flexedge.store.tables.database import changes_lacking
from flexedge.store.tables.seals import demand_sealed

Remedy = Literal["nothing", "repair", "rebuild", "lost", "shorter", "by-hand"]
REMEDIES: dict[Remedy, str] = {
    "nothing": "nothing needs to be done",
    "repair": "'flexedge db repair' puts it right",
    "rebuild": "'flexedge db repair' sets it aside and sums it up again from readings",
    "lost": "'flexedge db repair' sets it aside; what was in it is lost but for a backup",
    "shorter": "they are lost but for a backup; 'flexedge db repair' takes what is there for all",
    "by-hand": "see docs/store/care.md",
}
"""What helps, in words."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    file: str
    """Path below the data folder."""
    what: str
    remedy: Remedy

    def __str__(self) -> str:
        return f"{self.file} {self.what}; {REMEDIES[self.remedy]}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at and what was found."""

    files: int
    rows: int
    size: int
    """Bytes of the files that were looked at."""
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing has to be done."""
        return all(one.remedy == "nothing" for one in self.findings)


def check(folder: Path, *, deep: bool = False) -> Report:
    """Look at all that lies in a folder; ``deep``: compare checksums and decode every column.

    Raises ``StoreError`` when the disk is at fault rather than a file, or a file is too new.
    """
    findings = list(_state(folder))
    partitions: Sequence[Partition] = ()
    rows, journal = 0, None
    try:
        journal = _journal(folder)
    except StoreDamaged as error:
        findings.append(Finding(JOURNAL, f"is damaged ({error})", "repair"))
    try:
        if journal is not None:
            partitions = journal.partitions()
            rows = journal.waiting() + journal.waiting(trusted=False)
            findings += _batches(journal)
            if journal.begun and listing(folder / "history"):
                findings.append(Finding(JOURNAL, "is gone or empty", "repair"))
            else:
                findings += _files(folder, partitions)
                findings += _shorter(JOURNAL, journal.lacking, "batches")
    finally:
        if journal is not None:
            journal.close()
    for name, why in _unsound(folder, partitions, deep=deep):
        one = next(one for one in partitions if one.name == name)
        findings.append(Finding(f"history/{name}", why, remedy(one, partitions)))
    rows += sum(one.rows for one in partitions)
    return Report(len(partitions), rows, sum(one.size for one in partitions), tuple(findings))


def remedy(lost: Partition, partitions: Sequence[Partition]) -> Remedy:
    """What becomes of a partition that cannot be read."""
    if lost.kind not in SUMS:
        return "lost"
    end_us = lost.last_us + SUMS[lost.kind]
    read = [one for one in partitions if one.kind == "readings" and one.first_us < end_us]
    return "rebuild" if any(one.last_us >= lost.first_us for one in read) else "lost"


def _state(folder: Path) -> Iterator[Finding]:
    path = folder / STATE
    snapshots = Snapshots(folder).newest_first()
    try:
        if path.exists() and path.stat().st_size:
            sqlite.check(path, whole=True)
            demand_sealed(path)
            yield from _shorter(STATE, changes_lacking(path), "changes")
            return
        words = "is empty" if path.exists() else "is not there"
        if not snapshots and not (folder / JOURNAL).exists():
            return  # nothing has begun
    except StoreDamaged as error:
        words = f"is damaged ({error})"
    newest = f"the newest snapshot is of {snapshots[0].made:%Y-%m-%d %H:%M} UTC" if snapshots else (
        "there is no snapshot of it: the gateway will have no owner"
    )  # fmt: skip
    yield Finding(STATE, f"{words}; {newest}", "repair")


def _journal(folder: Path) -> Journal | None:
    path = folder / JOURNAL
    if not path.exists() and not listing(folder / "history"):
        return None
    if not path.exists():
        raise StoreDamaged("it is gone")
    sqlite.check(path, whole=True)
    return Journal(path)


def _shorter(file: str, n: int, what: str) -> Iterator[Finding]:
    if n:
        words = f"lacks the last {n} {what} that were in it, the log beside it was damaged"
        yield Finding(file, words, "shorter")


def _batches(journal: Journal) -> Iterator[Finding]:
    bad = len(journal.damaged())
    if bad:
        yield Finding(JOURNAL, f"holds {bad} batches that do not fit their checksums", "lost")
    undated = journal.waiting(trusted=False)
    if undated:
        yield Finding(JOURNAL, f"holds {undated} readings that wait for the right time", "nothing")


def _files(folder: Path, partitions: Sequence[Partition]) -> Iterator[Finding]:
    found, listed = listing(folder / "history"), {one.name for one in partitions}
    missing = listed - found
    for name in sorted(found - listed):
        # with none missing it is what a power cut leaves, and removed at the next start
        what = "is in no manifest"
        yield Finding(f"history/{name}", what, "repair" if missing else "nothing")


def _unsound(
    folder: Path, partitions: Sequence[Partition], *, deep: bool
) -> Iterator[tuple[str, str]]:
    """Names of partitions that are not what was written, and why."""
    history = folder / "history"
    engine = Engine(history, folder / "temp", Limits()) if deep else None
    try:
        for one in partitions:
            why = unfit(history, one, engine)
            if why:
                yield one.name, why
    finally:
        if engine is not None:
            engine.close()


def unfit(history: Path, one: Partition, engine: Engine | None) -> str:
    """Why a partition is not what was written; "" if it is.

    Without an engine only its size and its ends are looked at.
    """
    path = history / one.name
    size = durable.size(path)
    if size is None:
        return "is gone"
    if size != one.size:
        return f"has {size} bytes instead of {one.size}"
    if engine is None:
        return "" if durable.ends(path, len(_MAGIC)) == (_MAGIC, _MAGIC) else "is no Parquet file"
    if durable.sha256(path) != one.sha256:
        return "does not fit its checksum"
    try:
        found = partition.adopted(engine, history, one.name)
    except (StoreFull, StoreUnwritable):
        raise
    except (StoreError, KeyError, ValueError) as error:
        return f"cannot be decoded ({error})"
    return "" if found.rows == one.rows else f"holds {found.rows} rows instead of {one.rows}"


_MAGIC = b"PAR1"
