"""Bits flip, pieces go missing, files end early: what is read back is true, or missing and told.

``python -m tests.torture.rot --each 1000`` [--kind journal.db]
"""

import collections
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np

from flexedge.domain.belief import Reading
from flexedge.errors import FlexedgeError
from flexedge.store.rows import Floats, moment
from tests.torture.apart import Died, apart, spread
from tests.torture.judge import as_set, believed, facts, read
from tests.torture.library import QUICK
from tests.torture.plan import RIGHT, SENSORS, Plan, Rows
from tests.torture.work import House, options, planned, work

KINDS = {
    "state.db": "state.db", "state.db-wal": "state.db-wal", "journal.db": "journal.db",
    "journal.db-wal": "journal.db-wal", "readings": "history/readings/*",
    "beliefs": "history/beliefs/*", "minutes": "history/minutes/*", "hours": "history/hours/*",
    "snapshot": "backup/*.db", "mark": "*.db-mark", "lock": "lock", "ballast": "ballast",
}  # fmt: skip
"""Files by what they are."""
FINE = ("sound", "told", "told, missing")
"""Nothing was hit; it was told, and nothing is missing, or something is."""
_BLOCK = 4096
_HOUR = timedelta(hours=1)
_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Job:
    """One file of a kind is damaged, as a number decides."""

    plan: int
    kind: str
    seed: int


def damage(folder: Path, job: Job) -> str:
    """Do it; what was done."""
    chance = random.Random(f"{job.plan} {job.kind} {job.seed}")
    files = [path for path in sorted(folder.glob(KINDS[job.kind])) if path.stat().st_size]
    if not files:
        return "nothing, there is none"
    path = chance.choice(files)
    data = bytearray(path.read_bytes())
    how = chance.choice(("bit", "bit", "bits", "block", "end"))
    at = chance.randrange(len(data))
    if how == "end":
        del data[at:]
    elif how == "block":
        start = at // _BLOCK * _BLOCK
        size = min(_BLOCK, len(data) - start)
        data[start : start + size] = chance.choice((bytes(size), chance.randbytes(size)))
    else:
        for _ in range(1 if how == "bit" else chance.randrange(2, 64)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    return f"{how} of {path.relative_to(folder)}"


class Inspector:
    """Holds what a damaged folder gives against what it held."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._n = plan.n
        self._since = plan.since_us(plan.n)
        self._readings = as_set(plan.readings.after(plan.n, self._since))
        self._beliefs = as_set(plan.beliefs.after(plan.n, self._since))
        # Where what replaced a reading is gone, the one before it is there again.
        self._ever = as_set(plan.readings) | as_set(plan.beliefs)

    def look(self, folder: Path) -> str:
        """What is found, a word first: those of ``FINE`` are as it should be."""
        house = House(folder, self._plan.steps[-1].now)
        try:
            missing = self._missing(house)
            state = _stated(facts(house))
            self._try(house)
        finally:
            house.close()
        alarms = house.alarms_at_end
        whole = _stated(self._plan.facts(self._n))
        if state not in (_stated(self._plan.facts(steps)) for steps in range(self._n + 1)):
            return f"WRONG: state {state}; {alarms}"
        if not alarms:
            if not missing and state == whole:
                return "sound"
            changed = dict(set(state.items()) ^ set(whole.items()))
            return f"SILENT: {missing} rows missing; state: {changed}"
        self._again(folder)
        return "told, missing" if missing or state != whole else "told"

    def _missing(self, house: House) -> int:
        read_back, held = as_set(read(house, self._since)), as_set(believed(house, self._since))
        if not read_back | held <= self._ever:
            never = sorted((read_back | held) - self._ever)[:2]
            raise AssertionError(f"WRONG: {never} were never written")
        self._demand_true_sums(house)
        return len(self._readings - read_back) + len(self._beliefs - held)

    def _demand_true_sums(self, house: House) -> None:
        """No sum is of more than there was, and one of all there was is right."""
        start = -(-self._since // _HOUR_US) * _HOUR_US
        true, there = self._plan.readings.after(self._n, start), read(house, start)
        found = house.archive.buckets(house.numbers, moment(start), _HOUR, 30)
        for i in range(len(found.count)):
            sensor = house.numbers.index(int(found.sensor[i]))
            values = _within(true, sensor, int(found.start_us[i]))
            now = _within(there, sensor, int(found.start_us[i]))
            n, mean = int(found.count[i]), float(found.mean[i])
            fits = any(n == len(v) and np.isclose(mean, v.mean()) for v in (values, now))
            if n > max(len(values), len(now)) or (n == len(values) and not fits):
                raise AssertionError(f"WRONG: mean {mean} of {n}, there were {len(values)}")

    def _try(self, house: House) -> None:
        """It goes on."""
        house.beliefs.append([Reading(SENSORS[0].name, moment(123_456), 1.0)])
        house.beliefs.flush(RIGHT)
        house.beliefs.maintain(self._plan.steps[-1].now + _HOUR)
        house.alarms_at_end = house.alarms

    def _again(self, folder: Path) -> None:
        """The next start has nothing to tell: what was damaged is out of the way."""
        house = House(folder, self._plan.steps[-1].now)
        try:
            self._missing(house)
            if house.alarms:
                raise AssertionError(f"AGAIN: {house.alarms}")
        finally:
            house.close()


def _stated(held: Mapping[str, str]) -> dict[str, str]:
    """What of it is in the state: the configuration is a file of its own."""
    return {name: value for name, value in held.items() if name != "config"}


def _within(rows: Rows, sensor: int, start_us: int) -> Floats:
    inside = (rows.sensor == sensor) & (rows.event_us >= start_us)
    values: Floats = rows.value[inside & (rows.event_us < start_us + _HOUR_US)]
    return values


def made(plan: Plan, folder: Path) -> None:
    """A folder that a plan was done to, by a process that was not ended in an orderly way."""

    def do() -> None:
        acks = os.open(os.devnull, os.O_WRONLY)
        work(plan, folder, acks, close=False)

    folder.mkdir()
    apart(do, 600)


def inspected(inspector: Inspector, sound: Path, scratch: Path, job: Job) -> str:
    """Damage a copy and look at it."""
    folder = scratch / f"copy-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound, folder)
    what = damage(folder, job)
    try:
        told = apart(partial(_look, inspector, folder))
    except Died as error:
        told = f"DIED: {error}"
    return told if told in FINE else f"{told} [{what}]"


def _look(inspector: Inspector, folder: Path) -> str:
    try:
        return inspector.look(folder)
    except AssertionError as error:
        return str(error)
    except FlexedgeError:
        return f"REFUSED: {traceback.format_exc(limit=-3)}"
    except Exception:  # noqa: BLE001 (whatever it is, it is a finding)
        return f"CRASHED: {traceback.format_exc(limit=-4)}"


def rotten(
    plan: Plan, kinds: Sequence[str], each: int, scratch: Path
) -> Iterator[tuple[Job, str]]:  # fmt: skip
    """Damage each kind so often."""
    sound = scratch / "sound"
    made(plan, sound)
    inspector = Inspector(plan)
    jobs = [Job(plan.seed, kind, seed) for seed in range(each) for kind in kinds]
    yield from spread(jobs, partial(inspected, inspector, sound, scratch))


def main(words: Sequence[str] | None = None) -> None:
    """As the first lines say."""
    parser = options(__doc__)
    parser.set_defaults(steps=1500, minutes=10.0)
    parser.add_argument("--each", type=int, default=1000)
    parser.add_argument("--kind", choices=sorted(KINDS), action="append")
    told = parser.parse_args(words)
    counts: dict[str, collections.Counter[str]] = {}
    with tempfile.TemporaryDirectory(dir=QUICK, prefix="torture-") as scratch:
        kinds = told.kind or list(KINDS)
        for job, result in rotten(planned(told), kinds, told.each, Path(scratch)):
            word = result.partition(":")[0]
            counts.setdefault(job.kind, collections.Counter())[word] += 1
            if word not in FINE:
                print(f"{job.kind}, number {job.seed}: {result}", flush=True)
    for kind, counter in counts.items():
        print(f"{kind}: " + ", ".join(f"{n} {word}" for word, n in sorted(counter.items())))
    if any(word not in FINE for counter in counts.values() for word in counter):
        sys.exit(1)


if __name__ == "__main__":
    main()
