"""Put right what ``check`` finds. Nothing is deleted: what is damaged goes to quarantine."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flexedge.store.local import recover
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.check import Report, check
from flexedge.store.opening import open_state


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done."""

    done: tuple[str, ...]
    """Sentences; none where all was well."""
    after: Report
    """How it is now."""


def repair(folder: Path, now: datetime) -> Repaired:
    """Put right all that can be, in a folder that this process holds.

    Raises ``StoreError`` when the disk is at fault rather than a file (nothing is touched then).
    """
    recover.probe(folder)
    state, told = open_state(folder, now)
    state.close()
    done = [told] if told else []
    archive = LocalArchive(folder, now)
    try:
        archive.mend()
        done += archive.alarms
    finally:
        archive.close()
    return Repaired(tuple(done), check(folder, deep=True))
