"""A data folder in memory, for runs that begin while the disk with the real one takes no writes.

It begins with the state of the real folder (who owns the gateway, which control points are held,
what numbers mean), as far as that can be read. What it gathered is brought to the real folder by
the first run that has that again. It goes with the machine's power.
"""

import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from flexedge.errors import StoreError, StoreUnwritable
from flexedge.store.archive import Asked, Keep, Stamp
from flexedge.store.beliefs import Beliefs
from flexedge.store.local import durable, recover, wal
from flexedge.store.local.archive import LocalArchive
from flexedge.store.opening import open_state
from flexedge.store.snapshots import STATE

_PRIVATE = 0o700
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_KNOWN = Stamp("", 0, trusted=True)
_FOR_GOOD = Keep(None, None, None, None)


def refusal(folder: Path) -> str:
    """Why the disk takes no writes; "" where it does, or something else is wrong."""
    try:
        if folder.is_dir():
            recover.probe(folder)
    except StoreUnwritable as error:
        return str(error)
    except (StoreError, OSError):
        return ""  # told where the folder is opened
    return ""


def holds(folder: Path) -> bool:
    """Whether there is a state in a folder, or it cannot be told."""
    try:
        return (folder / STATE).exists()
    except OSError:
        return True


def begin(folder: Path, standing: Path) -> None:
    """Have a stand-in: the one of an earlier run since, or a new one. Raises ``StoreError``."""
    try:
        standing.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        found = standing.lstat()
    except OSError as error:
        raise durable.failed(str(standing), error) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StoreError(f"{standing} is not ours alone; remove it")
    state = standing / STATE
    if not state.exists():
        try:
            image = wal.image(folder / STATE)
        except StoreError:
            return  # nothing can be read: a new one begins
        durable.write(state, image)


def bring_back(standing: Path, beliefs: Beliefs, archive: LocalArchive, now: datetime) -> int:
    """Bring what a stand-in gathered to the real folder, and remove it; how many rows.

    What is there already by its key is replaced, so it does no harm twice. Raises ``StoreError``;
    the stand-in is still there then.
    """
    if not standing.is_dir():
        return 0
    state, _ = open_state(standing, now)
    try:
        old = LocalArchive(standing, now, keep=_FOR_GOOD)
        try:
            Beliefs(old, state)  # numbers that only the archive knows
            sources = {n: beliefs.source(one) for n, one in state.sources().items()}
            brought = sum(
                _bring(old, archive, number, beliefs.register(sensor), sources)
                for number, sensor in state.sensors().items()
            )
        finally:
            old.close()
    finally:
        state.close()
    shutil.rmtree(standing, ignore_errors=True)
    return brought


def _bring(
    old: LocalArchive, archive: LocalArchive, number: int, mine: int, sources: Mapping[int, int]
) -> int:
    """All of one sensor."""
    read = old.readings([number], _FIRST, _LAST)
    held = old.beliefs(Asked((number,), most_recent=False), {})
    read = replace(read, sensor=np.full(len(read), mine, np.int32))
    told = np.array([sources[n] for n in held.source.tolist()], np.int32)
    held = replace(held, sensor=np.full(len(held), mine, np.int32), source=told)
    if len(read) or len(held):
        archive.commit(read, held, _KNOWN, replacing=True)
    return len(read) + len(held)
