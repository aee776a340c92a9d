"""Change what a data folder holds, all at once: after a power cut it is the old or the new.

What is to come lies complete in ``incoming/new``; the file ``incoming/plan`` says what goes and
what comes. From the moment that file has its name the change is decided, and whoever has the folder
next completes it.
"""

import json
import os
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

from flexedge.errors import StoreError
from flexedge.store.local import durable

SERIES = ("state.db*", "journal.db*", "history", "temp", "beliefs.duckdb*", "claim-code*")
"""What belongs to the state and the readings of a gateway, as patterns."""
ALL = (*SERIES, "backup", "quarantine", "ballast", "probe", "runtime.*", "centres")
"""Everything that a gateway puts into its data folder, but for the lock."""
_FOLDER, _NEW, _PLAN = "incoming", "new", "plan"


def begin(folder: Path) -> Path:
    """An empty folder for what is to come; what an earlier try left there is dropped."""
    finish(folder)
    new = folder / _FOLDER / _NEW
    durable.make_folder(new)
    return new


def decide(folder: Path, going: Iterable[str]) -> None:
    """Put what is in ``incoming/new`` in the place of all that fits the patterns ``going``."""
    incoming = folder / _FOLDER
    _sync(incoming)
    come = sorted(path.name for path in (incoming / _NEW).iterdir())
    gone = {path.name for pattern in going for path in folder.glob(pattern)}
    plan = incoming / _PLAN
    partial = plan.with_name(f"{_PLAN}.tmp")
    try:
        partial.write_text(json.dumps({"gone": sorted(gone), "come": come}), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{partial}: {error.strerror}") from error
    durable.sync_file(partial)
    durable.put_in_place(partial, plan)
    finish(folder)


def finish(folder: Path) -> None:
    """Complete a change that was decided, drop one that was not. Raises ``StoreError``.

    To be called by whoever has taken the lock, before anything is opened.
    """
    incoming = folder / _FOLDER
    plan = incoming / _PLAN
    try:
        if plan.exists():
            content = json.loads(plan.read_text(encoding="utf-8"))
            _complete(folder, content["gone"], content["come"])
            plan.unlink()
            durable.sync_folder(incoming)
        if incoming.exists():
            shutil.rmtree(incoming)
            durable.sync_folder(folder)
    except OSError as error:
        raise StoreError(f"{error.filename or incoming}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{plan} does not say what was to be done: {error}") from error


def _complete(folder: Path, gone: Collection[str], come: Collection[str]) -> None:
    new = folder / _FOLDER / _NEW
    for name in gone:
        # What has come already is not what was to go.
        if name not in come or (new / name).exists():
            _remove(folder / name)
    durable.sync_folder(folder)
    for name in come:
        if (new / name).exists():
            (new / name).rename(folder / name)
    durable.sync_folder(folder)
    if new.is_dir():
        durable.sync_folder(new)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    for place, _folders, files in os.walk(folder):
        for name in files:
            durable.sync_file(Path(place) / name)
        durable.sync_folder(Path(place))
