"""A gateway's writing for a folder to be cut off from: ``python -m tests.torture.workload``.

Batches are committed, brought into partitions, summed up, merged and let go; the state is written
and copied beside it. Each promise is put down in a file of its own once it was given: "batch:7".
What a batch holds follows from its number, so that a judge can tell what is missing.
"""

import os
import sqlite3
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np

from flexedge.errors import StoreError
from flexedge.store.archive import Keep, Stamp
from flexedge.store.local import durable
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.engine import Limits
from flexedge.store.opening import open_state
from flexedge.store.rows import EPOCH, Beliefs, Readings, micros
from flexedge.store.snapshots import Snapshots

SENSORS = 12
STEP = timedelta(minutes=3)
"""From one batch to the next."""
COMPACTED = 20
"""Batches to an hour."""
KEEP = Keep(readings=timedelta(hours=30), beliefs=timedelta(hours=60))
DELETED = 99
"""A sensor whose readings are deleted now and then."""
DELETES = 130
RIGHT = Stamp("boot", 0, trusted=True)
LIMITS = Limits(memory_mb=64, threads=1)
CONFIG = "site.yaml"


def readings(batch: int) -> Readings:
    """Of twelve sensors, and of one that will be deleted; the value is the batch's number."""
    at = micros(EPOCH + batch * STEP) + np.arange(SENSORS + 1, dtype=np.int64)
    sensor = np.append(np.arange(1, SENSORS + 1), DELETED)
    return Readings.of({"sensor": sensor, "event_us": at, "value": np.full(len(at), batch),
                        "quality": np.zeros(len(at))})  # fmt: skip


def beliefs(batch: int) -> Beliefs:
    """Three of one source, about events to come."""
    at = micros(EPOCH + batch * STEP)
    return Beliefs.of({"sensor": [1, 2, 3], "source": [1, 1, 1],
                       "event_us": at + np.arange(3) * 60_000_000, "belief_us": [at] * 3,
                       "probability": [0.5] * 3, "value": [batch] * 3})  # fmt: skip


def old_state(path: Path) -> None:
    """The tables of the first revision, as a gateway of that time left them."""
    with sqlite3.connect(path) as connection:
        for pragma in ("journal_mode=wal", "synchronous=full"):
            connection.execute(f"pragma {pragma}")
        connection.execute("create table facts (name text primary key, value text not null)")
        connection.execute(
            "create table sessions (token_hash text primary key, created float not null,"
            " seen float not null)"
        )
        connection.execute("create table held (control text primary key, since float not null)")
        connection.execute("insert into facts values ('owner', 'kept')")
    connection.close()


class Gateway:
    """Writes, and promises."""

    def __init__(self, folder: Path, promises: Path) -> None:
        self._folder = folder
        self._file = os.open(promises, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        durable.make_folder(folder)
        if not (folder / "state.db").exists() and not (folder / "backup").exists():
            old_state(folder / "state.db")
            self.promise("owner")
        self.state, _ = open_state(folder, EPOCH)
        self.archive = LocalArchive(folder, EPOCH, LIMITS, KEEP)
        self._snapshots = Snapshots(folder)

    def promise(self, words: str) -> None:
        """Somebody was told so."""
        os.write(self._file, f"{words}\n".encode())

    def batch(self, number: int) -> None:
        """One commit, and what an hour brings."""
        now = EPOCH + number * STEP
        self.archive.commit(readings(number), beliefs(number), RIGHT)
        self.promise(f"batch:{number}")
        if number % 7 == 0:
            self.state.remember("count", str(number))
            self.promise(f"fact:{number}")
            self.state.hold(f"battery.{number % 5}", now)
        if number % 11 == 0:
            self.state.let_go(f"battery.{number % 5}")
            durable.write(self._folder / CONFIG, f"site: {number}\n".encode() * 40)
            self.promise(f"config:{number}")
        if number % COMPACTED == COMPACTED - 1:
            self.archive.maintain(now)
        if number % (8 * COMPACTED) == 0:
            self._snapshots.take(now)
        if number % DELETES == DELETES - 1:
            self.archive.delete(DELETED, None, None, None)
            self.promise(f"deleted:{number}")

    def close(self) -> None:
        """The end of a day."""
        self.archive.close()
        self.state.close()
        os.close(self._file)


def main() -> int:
    """FOLDER PROMISES FIRST LAST: batches from the first to the last; goes on after a cut."""
    folder, promises = Path(sys.argv[1]), Path(sys.argv[2])
    first, last = int(sys.argv[3]), int(sys.argv[4])
    try:
        gateway = Gateway(folder, promises)
        for number in range(first, last + 1):
            gateway.batch(number)
        gateway.close()
    except StoreError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
