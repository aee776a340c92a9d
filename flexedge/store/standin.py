"""A data folder in memory, for runs that begin while the disk with the real one takes no writes.

It begins with the state of the real folder (who owns the gateway, which control points are held,
what numbers mean), as far as that can be read. What it gathered is brought to the real folder by
the first run that has that again. It goes with the machine's power.
"""

import itertools
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
from flexedge.store.state import State

_PRIVATE = 0o700
_LEFT = ".left-"
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


def bring_back(
    standing: Path, state: State, beliefs: Beliefs, archive: LocalArchive, now: datetime
) -> int:
    """Bring what a stand-in gathered to the real folder, and remove it; how many rows.

    First of all the control points that it held and did not let go of. What is there already by its
    key is replaced, so it does no harm twice. Raises ``StoreError``; what could not be brought is
    left for the next start then, and never stood in again.
    """
    left = [path for path in standing.parent.glob(f"{standing.name}{_LEFT}*") if path.is_dir()]
    if standing.is_dir():
        left.append(_renamed(standing))
    return sum(_brought(path, state, beliefs, archive, now) for path in sorted(left))


def _renamed(standing: Path) -> Path:
    """So that a stand-in that could not be brought back is not taken for the newest state."""
    names = (standing.with_name(f"{standing.name}{_LEFT}{n}") for n in itertools.count())
    free = next(name for name in names if not name.exists())
    try:
        return standing.rename(free)
    except OSError as error:
        raise durable.failed(str(standing), error) from error


def _brought(
    left: Path, state: State, beliefs: Beliefs, archive: LocalArchive, now: datetime
) -> int:
    before, _ = open_state(left, now)
    try:
        for control, since in before.held().items():
            state.hold(control, since)
        old = LocalArchive(left, now, keep=_FOR_GOOD)
        try:
            Beliefs(old, before)  # numbers that only the archive knows
            sources = {n: beliefs.source(one) for n, one in before.sources().items()}
            brought = sum(
                _bring(old, archive, number, beliefs.register(sensor), sources)
                for number, sensor in before.sensors().items()
            )
        finally:
            old.close()
    finally:
        before.close()
    shutil.rmtree(left, ignore_errors=True)
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
