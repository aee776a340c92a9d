"""Opens what a cut left, as a gateway would, and says what of its promises was broken.

``python -m tests.torture.judge`` reads lines of JSON (folder, promises) and answers each with one
word of verdict, "ok" or what is wrong.
"""

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np

from flexedge.errors import FlexedgeError
from flexedge.store.archive import Asked
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.partition import Kind
from flexedge.store.local.shelf import Window
from flexedge.store.opening import open_state
from flexedge.store.rows import EPOCH
from tests.torture.workload import (
    COMPACTED,
    CONFIG,
    DELETED,
    KEEP,
    LIMITS,
    RIGHT,
    SENSORS,
    STEP,
    beliefs,
    readings,
)

_FAR = EPOCH + timedelta(days=3650)
_NEXT = 1_000_000
"""The number of a batch that nobody else commits."""


@dataclass(slots=True)
class Promises:
    """The last of each kind."""

    batch: int = -1
    fact: int = -1
    config: int = -1
    deleted: int = -1
    owner: bool = False
    broken: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, words: Iterable[str]) -> "Promises":
        """What was promised."""
        promised = cls()
        for word in words:
            name, _, number = word.partition(":")
            if name == "owner":
                promised.owner = True
            elif number.isdigit():
                setattr(promised, name, max(getattr(promised, name), int(number)))
        return promised


def judge(folder: Path, words: Iterable[str], *, alarms: bool = False) -> str:
    """ "ok", or what is wrong; ``alarms``: whether findings are to be expected."""
    promised = Promises.of(words)
    try:
        state, told = open_state(folder, EPOCH)
        try:
            wrong = _state(state.fact, promised)
        finally:
            state.close()
        archive = LocalArchive(folder, EPOCH, LIMITS, KEEP)
        try:
            wrong += _archive(archive, promised) + _goes_on(archive)
            told = "; ".join([told, *archive.alarms])
        finally:
            archive.close()
    except FlexedgeError as error:
        return f"does not open: {error}"
    wrong += _config(folder, promised)
    if told.strip("; ") and not alarms:
        wrong.append(f"alarm: {told}")
    return "; ".join(wrong) or "ok"


def _state(fact: object, promised: Promises) -> list[str]:
    assert callable(fact)
    count = fact("count")
    if int(count or -1) < promised.fact:
        return [f"lost: the state says {count}, promised was {promised.fact}"]
    if promised.owner and fact("owner") != "kept":
        return ["lost: the owner of the old state"]
    return []


def _config(folder: Path, promised: Promises) -> list[str]:
    path = folder / CONFIG
    if not path.exists():
        return ["lost: the configuration"] if promised.config >= 0 else []
    lines = path.read_text().splitlines()
    number = re.fullmatch(r"site: (\d+)", lines[0] if lines else "")
    if number is None or len(lines) != 40 or len(set(lines)) != 1:
        return ["torn: the configuration"]
    return [] if int(number[1]) >= promised.config else ["lost: a configuration"]


def _archive(archive: LocalArchive, promised: Promises) -> list[str]:
    wrong = []
    newest = -1
    for kind in ("readings", "beliefs"):
        batches, doubled = _counted(archive, kind)
        if doubled:
            wrong.append(f"doubled: {doubled} {kind}")
        newest = max([newest, *batches])
        wrong += _missing(kind, batches, promised)
    wrong += _deleted(archive, promised)
    return wrong + _summed(archive, newest)


def _counted(archive: LocalArchive, kind: Kind) -> tuple[dict[int, int], int]:
    """How many rows of each batch there are, and how many are there twice."""
    with archive._shelf.view() as view:
        rows = archive._shelf.relation(view, kind, Window(), once=False)
        keep = f"where sensor <> {DELETED}"
        sql = f"select value::bigint as batch, count(*) as n from {rows} {keep} group by batch"
        found = archive._engine.arrays(sql)
        keys = "sensor, event_us" if kind == "readings" else "sensor, source, event_us, belief_us"
        ((twice,),) = archive._engine.run(f"select count(*) - count(distinct ({keys})) from {rows}")
    return dict(zip(found["batch"].tolist(), found["n"].tolist(), strict=True)), int(twice)


def _missing(kind: Kind, batches: dict[int, int], promised: Promises) -> list[str]:
    rows = SENSORS if kind == "readings" else 3
    newest = max([promised.batch, *batches])
    keep = KEEP.readings if kind == "readings" else KEEP.beliefs
    assert keep is not None
    let_go = newest - keep // STEP  # what began before may be gone, in whole partitions
    holes = [n for n in range(max(let_go, 0), newest + 1) if batches.get(n) != rows]
    lost = [n for n in holes if n <= promised.batch]
    if lost:
        return [f"lost: {len(lost)} batches of {kind}, as {lost[0]} of {promised.batch}"]
    if any(n in batches for n in holes):
        return [f"torn: a batch of {kind}, as {holes[0]}"]
    if newest > promised.batch + 1:
        return [f"ahead: batch {newest} of {kind}, promised was {promised.batch}"]
    return []


def _deleted(archive: LocalArchive, promised: Promises) -> list[str]:
    rows = archive.readings([DELETED], EPOCH, _FAR)
    if len(rows) and rows.value.min() <= promised.deleted:
        return [f"not deleted: what came before batch {promised.deleted}"]
    return []


def _summed(archive: LocalArchive, newest: int) -> list[str]:
    """Whether roll-ups say what the readings say, for the hours whose readings are all there."""
    start = EPOCH + max(newest - 15 * COMPACTED, 0) // COMPACTED * COMPACTED * STEP
    found = archive.buckets([1], start, COMPACTED * STEP, 20)
    rows = archive.readings([1], start, start + 20 * COMPACTED * STEP)
    if found.count.sum() != len(rows):
        return [f"roll-ups: {found.count.sum()} readings, there are {len(rows)}"]
    if len(rows) and not np.isclose((found.mean * found.count).sum(), rows.value.sum()):
        return ["roll-ups: another mean"]
    return []


def _goes_on(archive: LocalArchive) -> list[str]:
    archive.commit(readings(_NEXT), beliefs(_NEXT), RIGHT)
    at = EPOCH + _NEXT * STEP
    for _ in range(2):
        read = archive.readings(range(1, SENSORS + 1), at, at + STEP)
        held = archive.beliefs(Asked((1, 2, 3), at, at + STEP), {})
        if len(read) != SENSORS or len(held) != 3:
            return ["does not go on: what is committed now is not seen"]
        archive._compactor.compact()
    return []


def main() -> int:
    """One verdict for each line."""
    for line in sys.stdin:
        folder, words = json.loads(line)
        try:
            verdict = judge(Path(folder), words)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is the verdict)
            verdict = f"breaks: {type(error).__name__} {error}"
        sys.stdout.write(json.dumps(verdict) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
