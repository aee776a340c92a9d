"""The start of the state: a damaged file is set aside, and the newest good snapshot put back."""

from datetime import datetime
from pathlib import Path

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store import sqlite
from flexedge.store.local.recover import probe, set_aside
from flexedge.store.snapshots import STATE, Snapshots
from flexedge.store.state import State
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.database import Database
from flexedge.store.tables.revisions import NEWEST, look

_QUARANTINE = "quarantine"


def open_state(folder: Path, now: datetime) -> tuple[State, str]:
    """Open the state of a data folder, which the process must hold.

    Returns it and a sentence for the alarm list ("" when all is well). Raises ``StoreError`` when
    the disk is at fault rather than the file (nothing is touched then), or the file is too new.
    """
    snapshots = Snapshots(folder)
    try:
        state = _opened(folder, snapshots, now)
    except StoreDamaged:
        probe(folder)  # after an I/O error a sound file may look damaged
        try:
            state = _opened(folder, snapshots, now)
        except StoreDamaged as error:
            return _replaced(folder, snapshots, now, error)
    return state, _lack(state, now)


def _lack(state: State, now: datetime) -> str:
    if not state.lacking:
        return ""
    told = f"{STATE} lacks its last {state.lacking} changes: the log beside it was damaged"
    state.audit.add(Entry(now, "flexedge", told))
    return told


def _opened(folder: Path, snapshots: Snapshots, now: datetime) -> State:
    path = folder / STATE
    there = path.exists() and path.stat().st_size > 0
    if not there and snapshots.newest_first():
        raise StoreDamaged(f"{path} is {'empty' if path.exists() else 'gone'}")
    if there:
        sqlite.check(path, whole=True)  # in a damaged index a key would not be found
        if _older(path):
            snapshots.take(now)
    return State(path)


def _older(path: Path) -> bool:
    """Whether opening it will migrate it."""
    database = Database(path)
    try:
        revision = look(database).revision
        return revision is not None and revision < NEWEST
    finally:
        database.close()


def _replaced(
    folder: Path, snapshots: Snapshots, now: datetime, error: StoreError
) -> tuple[State, str]:
    path = folder / STATE
    aside = _set_aside(path, now)
    kept = f"what is left is kept as {_QUARANTINE}/{aside}" if aside else "nothing is left of it"
    state, became = _begun_anew(path, snapshots, now)
    told = f"{STATE} was damaged; {kept}; {became}: {error}"
    state.audit.add(Entry(now, "flexedge", told))
    return state, told


def _begun_anew(path: Path, snapshots: Snapshots, now: datetime) -> tuple[State, str]:
    """A state out of the newest good snapshot, or a new one; and which of them."""
    for snapshot in snapshots.newest_first():
        try:
            snapshots.put_back(snapshot)
            state = State(path)
        except StoreDamaged:
            _set_aside(path, now)
        else:
            return state, f"the snapshot of {snapshot.made:%Y-%m-%d %H:%M} UTC took its place"
    return State(path), "a new one was begun, the gateway has no owner now"


def _set_aside(path: Path, now: datetime) -> str | None:
    """Move the file and what SQLite keeps beside it to quarantine; its name there, if any."""
    parts = [path.with_name(path.name + end) for end in ("", *sqlite.BESIDE)]
    if not any(part.exists() for part in parts):
        return None
    return set_aside(path.parent / _QUARANTINE, path, now).name
