"""Every call to the disk fails once, or from there on until the disk is well again.

``python -m tests.torture.faults [--sample 40]``
"""

import argparse
import collections
import errno
import json
import mmap
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from flexedge.errors import FlexedgeError, StoreError
from tests.torture.apart import Died, apart
from tests.torture.judge import Judge, read
from tests.torture.library import QUICK, built, environment
from tests.torture.plan import RIGHT, Plan, Step, short
from tests.torture.work import Worker

_FAULT = struct.Struct("<qqqiiii")
_OFF, _NEVER = -1, 1 << 40
_WRITE, _SYNC, _CREATE, _RENAME, _TRUNCATE, _MKDIR, _UNLINK = (1 << i for i in range(7))
_AGAIN_S, _ILL_S, _HEALED_S, _MINUTE_S = 5, 120, 60, 60


_SPARED = "there was no room to open"
"""What the next start forgets."""


@dataclass(frozen=True, slots=True)
class Fault:
    """How a disk fails."""

    name: str
    error: int
    kinds: int
    shortly: bool = False


FAULTS = (
    Fault("full", errno.ENOSPC, _WRITE | _SYNC | _CREATE | _RENAME | _MKDIR),
    Fault("error", errno.EIO, 127),
    Fault("read-only", errno.EROFS, 127),
    Fault("short", errno.ENOSPC, _WRITE, shortly=True),
)


@dataclass(frozen=True, slots=True)
class Job:
    """The ``n``-th call fails, and those after it where ``lasting``."""

    fault: Fault
    n: int
    lasting: bool


class Switch:
    """Lets the calls below a folder fail, by what the library reads."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _FAULT.size)

    def on(self, job: Job) -> None:
        """From now on calls are counted, and that one fails."""
        fault = job.fault
        self._put(job.n, 0, 0, fault.kinds, fault.error, int(job.lasting), int(fault.shortly))

    def off(self) -> None:
        """The disk is well again."""
        self._put(_OFF, *_FAULT.unpack(self._memory[:])[1:])

    def _put(self, *values: int) -> None:
        self._memory[:] = _FAULT.pack(*values)

    @property
    def calls(self) -> int:
        """How many were counted."""
        return int(_FAULT.unpack(self._memory[:])[1])

    @property
    def failed(self) -> int:
        """How many were refused."""
        return int(_FAULT.unpack(self._memory[:])[2])


class Stuck(Exception):
    """The disk is well again, and the store is not."""


class Patient:
    """A gateway on a disk that falls ill, and what it does about that: it goes on, and again."""

    def __init__(self, plan: Plan, folder: Path, switch: Switch) -> None:
        self._plan = plan
        self._folder = folder
        self._switch = switch
        self._late = timedelta(0)
        self._ill_s = self._well_s = 0
        self._worker: Worker | None = None

    def live(self) -> None:
        """Do all of the plan."""
        first = self._plan.steps[0]
        self._again(first, lambda: self._begin(first))
        for step in self._plan.steps:
            self._do(self._at_work, step)
        last = self._plan.steps[-1]
        self._again(last, self._flush)
        while any(not told.startswith(_SPARED) for told in self._at_work.house.alarms):
            self._suffer(last)
        self._at_work.close()

    @property
    def _at_work(self) -> Worker:
        assert self._worker is not None
        return self._worker

    def _begin(self, step: Step) -> None:
        self._worker = Worker(self._plan, self._folder, step.now)

    def _do(self, worker: Worker, step: Step) -> None:
        if step.kind in ("readings", "late", "bulk", "maintain"):
            try:
                worker.do(step)  # else it goes on in memory, or is done the next time
            except StoreError:
                self._suffer(step)
            return
        if step.kind in ("reopen", "migrate"):
            self._again(step, self._flush)
        self._again(step, lambda: worker.do(step))

    def _flush(self) -> None:
        self._at_work.house.beliefs.flush(RIGHT)

    def _again(self, step: Step, work: Callable[[], object]) -> None:
        while True:
            try:
                work()
            except StoreError:
                self._suffer(step)
            else:
                return

    def _suffer(self, step: Step) -> None:
        """A few seconds pass, and every minute somebody looks after the house."""
        if self._switch.failed and self._ill_s < _ILL_S:
            self._ill_s += _AGAIN_S
            if self._ill_s >= _ILL_S:
                self._switch.off()
        else:
            self._well_s += _AGAIN_S
            if self._well_s > _HEALED_S:
                alarms = self._worker.house.alarms if self._worker else []
                raise Stuck(f"{alarms} {traceback.format_exc(limit=-2)}")
        self._late += timedelta(seconds=_AGAIN_S)
        if self._worker is not None and self._worker.house.open:
            read(self._worker.house, 0)  # is answered all the while
            if not (self._ill_s + self._well_s) % _MINUTE_S:
                self._worker.house.beliefs.maintain(step.now + self._late)


def lived(plan: Plan, folder: Path, switch: Switch, job: Job) -> str:
    """What came of one failure: "" when all is well, "-" when there was none."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    switch.on(job)
    try:
        Patient(plan, folder, switch).live()
    except Stuck as error:
        return f"STUCK: {error}"
    except FlexedgeError:
        return f"REFUSED: {traceback.format_exc(limit=-4)}"
    except Exception:  # noqa: BLE001 (whatever it is, it is a finding)
        return f"CRASHED: {traceback.format_exc(limit=-5)}"
    finally:
        switch.off()
    fault = Judge(plan).judge(folder, plan.n).fault
    return fault or ("" if switch.failed else "-")


def all_jobs(plan: Plan, root: Path) -> list[Job]:
    """Every call, in every way."""

    def calls(fault: Fault) -> int:
        switch = Switch(root / "fault")
        told = lived(plan, root / "data", switch, Job(fault, _NEVER, lasting=False))
        assert told == "-", told
        return switch.calls

    return [
        Job(fault, n, lasting)
        for fault in FAULTS
        for n in range(apart(partial(calls, fault)))
        for lasting in (False, True)
    ]


def share(plan: Plan, told: argparse.Namespace) -> None:
    """Do one share of the jobs and print what came of each; needs the library."""
    jobs = all_jobs(plan, told.root)
    random.Random(plan.seed).shuffle(jobs)
    number, of = told.share
    for job in jobs[: told.sample][number::of]:
        work = partial(lived, plan, told.root / "data", Switch(told.root / "fault"), job)
        try:
            fault = apart(work)
        except Died as error:
            fault = f"DIED: {error}"
        how = "all from" if job.lasting else "only"
        print(json.dumps([job.fault.name, f"{how} call {job.n}", fault, len(jobs)]), flush=True)


def main(words: Sequence[str] | None = None) -> None:
    """As the first lines say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, help="so many of all, by chance")
    parser.add_argument("--root", type=Path, help="(of a share)")
    parser.add_argument("--share", type=int, nargs=2, help="(of a share)")
    told = parser.parse_args(words)
    if told.root is not None:
        share(short(told.seed), told)
        return
    with tempfile.TemporaryDirectory(dir=QUICK, prefix="torture-") as scratch:
        kinds, of = shared(Path(scratch), [] if words is None else list(words))
    outcome = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    print(f"failing calls: {kinds.total()} of {of}: {outcome}")
    if any(not kind.endswith(": sound") for kind in kinds):
        sys.exit(1)


def shared(root: Path, words: Sequence[str]) -> tuple[collections.Counter[str], int]:
    """Have all processors do their share; how many came out how, and of how many."""
    library, kinds, of = built(root), collections.Counter[str](), 0
    shares = []
    reading, writing = os.pipe()  # one for all: who waits for one share would hold up the others
    for number in range(workers := os.cpu_count() or 1):
        mine = root / f"share-{number}"
        mine.mkdir()
        (mine / "fault").write_bytes(_FAULT.pack(_OFF, 0, 0, 0, 0, 0, 0))
        about = ["--root", str(mine), "--share", str(number), str(workers)]
        again = [sys.executable, "-m", "tests.torture.faults", *words, *about]
        listening = environment(library, mine, fault=mine / "fault")
        shares.append(subprocess.Popen(again, env=listening, stdout=writing))
    os.close(writing)
    with os.fdopen(reading) as pipe:
        for line in pipe:
            name, how, fault, of = json.loads(line)
            kinds[f"{name}: {fault.partition(':')[0] or 'sound'}"] += 1
            if fault:
                print(f"{name}, {how}: {fault}", flush=True)
    for one in shares:
        if one.wait():
            raise SystemExit(f"a share ended with {one.returncode}")
    return kinds, of


if __name__ == "__main__":
    main(sys.argv[1:])
