"""One immutable Parquet file: what the manifest says about it, and how it comes to be.

Written under another name, synced, read back and compared, and only then given its name.
"""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store.buckets import HOURS_US, MINUTES_US
from flexedge.store.local import durable
from flexedge.store.local.engine import Columns, Engine

Kind = Literal["readings", "beliefs", "minutes", "hours"]
KINDS: tuple[Kind, ...] = ("readings", "beliefs", "minutes", "hours")
TIME: dict[Kind, str] = {"readings": "event_us", "beliefs": "event_us", "minutes": "start_us",
                         "hours": "start_us"}  # fmt: skip
"""The column that says when."""
_SORTED: dict[Kind, str] = {
    "readings": "sensor, event_us",
    "beliefs": "sensor, event_us, source, belief_us, probability",
    "minutes": "sensor, start_us",
    "hours": "sensor, start_us",
}
ORDER_BITS = 20
"""Every row has an ``ord``: the number of its batch, and its place in that below these bits."""
COLUMNS: dict[Kind, str] = {
    "readings": "sensor, event_us, value, quality",
    "beliefs": "sensor, source, event_us, belief_us, probability, value",
    "minutes": "sensor, start_us, count, mean, least, most, first, first_us, last, last_us, rise,"
    " integral",
    "hours": "sensor, start_us, count, mean, least, most, first, first_us, last, last_us, rise,"
    " integral",
}
KEYS: dict[Kind, str] = {
    "readings": "sensor, event_us",
    "beliefs": "sensor, source, event_us, belief_us, probability",
    "minutes": "sensor, start_us",
    "hours": "sensor, start_us",
}
"""What there should be one row of; of several that with the largest ``ord`` counts."""
SUMS: Mapping[Kind, int] = {"minutes": MINUTES_US, "hours": HOURS_US}
"""The kinds that are summed up from readings, and the widths of their stretches."""
PARTIAL = ".tmp"
VERSION = 1
"""Of the files' columns; goes up when they change."""


@dataclass(frozen=True, slots=True)
class Partition:
    """What the manifest knows of a file."""

    name: str
    """Path below the history folder."""
    kind: Kind
    lo: int
    """The first and last batch of the journal whose rows are in it."""
    hi: int
    level: int
    """How often it was merged."""
    rows: int
    size: int
    first_us: int
    """The first and last time in it."""
    last_us: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next partition goes and what it holds."""

    kind: Kind
    lo: int
    hi: int
    level: int

    def path(self, history: Path) -> Path:
        """A name that is not taken. Names are never used twice in a folder that is read from."""
        folder = history / self.kind
        stem = f"{self.lo:012d}-{self.hi:012d}-{self.level}"
        taken = [turn(path.name) for path in folder.glob(f"{stem}-*.parquet")]
        return folder / f"{stem}-{max(taken, default=-1) + 1}.parquet"


def turn(name: str) -> int:
    """Which of the files of one place this is: the later one of two has the higher number."""
    return int(name.rpartition(".")[0].rpartition("-")[2])


def rolled_without(
    partitions: Sequence[Partition], gone: Collection[Partition], rolled: int
) -> int:
    """Up to which batch readings are summed up when these partitions are lost."""
    for lost in gone:
        if lost.kind not in SUMS:
            continue
        end_us = lost.last_us + SUMS[lost.kind]
        for one in partitions:
            missing = one.first_us < end_us and one.last_us >= lost.first_us
            if one.kind == "readings" and one not in gone and missing:
                rolled = min(rolled, one.lo - 1)
    return rolled


def write(
    engine: Engine, history: Path, place: Place, select: str, given: Columns | None = None
) -> Partition | None:
    """Write what ``select`` gives as a partition; None when it gives no rows.

    ``given``: columns that it may select from under that name.

    The file has its name and lasts when this returns; it counts once the manifest says so.
    Raises ``StoreError``; what a power cut leaves of it is removed at the next start.
    """
    path = place.path(history)
    durable.make_folder(path.parent)
    partial = path.with_name(path.name + PARTIAL)
    try:
        return _written(engine, place, path, select, given)
    except BaseException:
        with contextlib.suppress(StoreError):  # on a full disk it would be in the way
            durable.remove(partial)
        raise


def _written(
    engine: Engine, place: Place, path: Path, select: str, given: Columns | None
) -> Partition | None:
    partial = path.with_name(path.name + PARTIAL)
    kept = f"{{kind: '{place.kind}', lo: '{place.lo}', hi: '{place.hi}', level: '{place.level}', version: '{VERSION}'}}"  # fmt: skip  # noqa: E501
    ((copied,),) = engine.over(
        given,
        f"copy ({select} order by {_SORTED[place.kind]}) to '{partial}' (format parquet,"
        f" compression zstd, parquet_version v2, use_tmp_file false, kv_metadata {kept})",
    )
    durable.sync_file(partial)
    rows, first, last = _read_back(engine, partial, place.kind)
    if rows != copied:
        raise StoreDamaged(f"{partial} was written with {copied} rows but holds {rows}")
    if not rows:
        durable.remove(partial)
        return None
    digest, size = durable.sha256(partial), partial.stat().st_size
    durable.put_in_place(partial, path)
    return Partition(f"{place.kind}/{path.name}", place.kind, place.lo, place.hi, place.level,
                     rows, size, first, last, digest)  # fmt: skip


def _read_back(engine: Engine, path: Path, kind: Kind) -> tuple[int, int, int]:
    """Decode every column once: rows, first and last time."""
    ((rows, first, last, _),) = engine.run(
        f"select count(*), min({TIME[kind]}), max({TIME[kind]}),"
        f" bit_xor(hash({COLUMNS[kind]}, ord))"
        f" from read_parquet('{path}')"
    )
    return rows, first or 0, last or 0


def adopted(engine: Engine, history: Path, name: str) -> Partition:
    """What a file says of itself, when the manifest is lost. Raises ``StoreError``."""
    path = history / name
    about = {
        key.decode() if isinstance(key, bytes) else key: value.decode()
        for _, key, value in engine.run(f"select * from parquet_kv_metadata('{path}')")
    }
    kind = next((kind for kind in KINDS if kind == about.get("kind")), None)
    if kind is None:
        raise StoreDamaged(f"{path} does not say what it holds")
    rows, first, last = _read_back(engine, path, kind)
    return Partition(name, kind, int(about["lo"]), int(about["hi"]), int(about["level"]), rows,
                     path.stat().st_size, first, last, durable.sha256(path))  # fmt: skip
