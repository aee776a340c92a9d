"""What a data folder holds at one moment, to be read while its gateway goes on.

Copies of the two databases, and further names (hard links) for the immutable partitions: nothing
of the gateway's is touched, and nothing it removes is missed.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store import sqlite
from flexedge.store.backup import HISTORY, JOURNAL
from flexedge.store.local import durable
from flexedge.store.local.disk import GLIMPSE
from flexedge.store.snapshots import STATE

_TRIES = 5  # each needs a compaction in the middle of the one before, which is hourly


@contextlib.contextmanager
def glimpse(folder: Path) -> Iterator[Path]:
    """A folder with the state, the journal and the partitions; gone afterwards.

    Raises ``StoreError``, ``StoreDamaged`` where a database or its partitions cannot be taken.
    """
    temp = folder / "temp"
    durable.make_folder(temp)
    _tidy(temp)
    place = temp / f"{GLIMPSE}{os.getpid()}"
    try:
        for left in reversed(range(_TRIES)):
            shutil.rmtree(place, ignore_errors=True)
            try:
                _take(folder, place)
                break
            except FileNotFoundError as error:
                if not left:
                    raise StoreDamaged(
                        f"{error.filename} is gone; 'flexedge db repair' takes it out"
                    ) from error
        yield place
    except OSError as error:
        raise durable.failed(str(error.filename or place), error) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _take(folder: Path, place: Path) -> None:
    place.mkdir()
    for name in (STATE, JOURNAL):
        if (folder / name).exists():
            sqlite.copy(folder / name, place / name)
    if not (place / JOURNAL).exists():
        raise StoreError(f"{folder} holds no readings yet")
    for (name,) in sqlite.rows(place / JOURNAL, "select name from partitions"):
        target = place / HISTORY / str(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(folder / HISTORY / str(name), target)


def _tidy(temp: Path) -> None:
    """Remove what one left that was killed."""
    for path in temp.glob(f"{GLIMPSE}*"):
        number = path.name.removeprefix(GLIMPSE)
        if not number.isdigit() or not Path(f"/proc/{number}").exists():
            shutil.rmtree(path, ignore_errors=True)
