"""The process is killed at any moment, again and again, and goes on from what is there.

``python -m tests.torture.kills --kills 10000``
"""

import argparse
import collections
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flexedge.store.local import durable
from tests.torture.apart import Died, apart
from tests.torture.judge import Judge, Verdict
from tests.torture.plan import Plan
from tests.torture.work import options, planned, work

_LONGEST_S = 0.25
_AT_WORK = 0.8  # so many deaths of all come when something was done; the others at the start, too
_PATIENCE_S = 20.0
_THOROUGH = 10  # one judgement of so many also works with what is there, and begins anew


@dataclass(slots=True)
class Life:
    """A folder that outlives its processes; how far the plan came, and what was found wrong."""

    folder: Path
    done: int = 0
    deaths: int = 0
    steps: int = 0
    plans: int = 0
    faults: list[str] = field(default_factory=list)
    kinds: collections.Counter[str] = field(default_factory=collections.Counter)

    def begin(self) -> None:
        """With nothing there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        durable.sync_folder(self.folder.parent)
        self.done = 0
        self.plans += 1

    def told(self) -> str:
        """In a few lines."""
        kinds = ", ".join(f"{n} {kind or 'sound'}" for kind, n in sorted(self.kinds.items()))
        head = f"{self.deaths} while {self.steps} steps were acknowledged: {kinds}"
        return "\n  ".join([head, *self.faults[:5]])


@dataclass(slots=True)
class Child:
    """A process, and what it says it has done."""

    number: int
    acks: int

    def wait_for_ack(self) -> None:
        """Wait until it has done something, or is gone."""
        select.select([self.acks], [], [], _PATIENCE_S)

    def told(self) -> list[bytes]:
        """All that it said, once it is gone."""
        with os.fdopen(self.acks, "rb") as pipe:
            return pipe.read().splitlines(keepends=True)


def forked(work: Callable[[int], object]) -> Child:
    """A process that does work, which gets an open file to tell of it."""
    reading, writing = os.pipe()
    number = os.fork()
    if number:
        os.close(writing)
        return Child(number, reading)
    code = 1
    try:
        os.close(reading)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        work(writing)
        code = 0
    finally:
        os._exit(code)


def started(plan: Plan, life: Life) -> Child:
    """A process that goes on with the plan."""
    return forked(lambda acks: work(plan, life.folder, acks, life.done))


def acknowledged(lines: list[bytes], before: int, until_ns: int | None = None) -> int:
    """How many steps are done; only what was told before a time of the monotonic clock counts."""
    split = [line.split() for line in lines if line.endswith(b"\n")]
    told = [int(done) for done, at in split if until_ns is None or int(at) < until_ns]
    return max([before, *told])


def judged(plan: Plan, folder: Path, acked: int, most: int, *, thorough: bool) -> Verdict:
    """The verdict on a folder, which is not touched by it where it is not thorough."""
    try:
        return apart(lambda: Judge(plan).judge(folder, acked, thorough=thorough, most=most))
    except Died as error:
        return Verdict(f"DIED: {error}", acked)


def go_on(plan: Plan, life: Life, lines: list[bytes], until_ns: int | None = None) -> None:
    """Judge what a death left by what was told before; go on from there, or begin anew."""
    acked = acknowledged(lines, life.done, until_ns)
    thorough = life.deaths % _THOROUGH == 0
    most = acknowledged(lines, life.done)
    verdict = judged(plan, life.folder, acked, most, thorough=thorough)
    life.deaths += 1
    life.steps += acked - life.done
    life.kinds[verdict.kind] += 1
    life.done = verdict.reached
    if verdict.fault:
        life.faults.append(f"death {life.deaths}, {acked} acknowledged: {verdict.fault}")
    if verdict.fault or thorough or life.done >= plan.n:
        life.begin()


def soon(chance: random.Random, child: Child) -> None:
    """Let a process run: for a while from its start on, or from the first that it has done."""
    if chance.random() < _AT_WORK:
        child.wait_for_ack()
    time.sleep(chance.random() * _LONGEST_S)  # noqa: TID251 (chance decides, nobody waits for it)


def killed(plan: Plan, folder: Path, kills: int) -> Life:
    """Kill so often."""
    chance = random.Random(plan.seed)
    plan.prepare()
    life = Life(folder / "data")
    life.begin()
    for _ in range(kills):
        child = started(plan, life)
        soon(chance, child)
        os.kill(child.number, signal.SIGKILL)
        _, status = os.waitpid(child.number, 0)
        if os.waitstatus_to_exitcode(status) > 0:
            life.faults.append(f"the process ended by itself after death {life.deaths}")
            life.kinds["ENDED"] += 1
        go_on(plan, life, child.told())
    return life


def main(words: Sequence[str] | None = None) -> None:
    """As the first lines say."""
    parser = options(__doc__)
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="on which disk (default: the temporary one)")
    told: argparse.Namespace = parser.parse_args(words)
    with tempfile.TemporaryDirectory(dir=told.folder, prefix="torture-") as scratch:
        life = killed(planned(told), Path(scratch), told.kills)
    print(f"kills: {life.told()}")
    if life.faults:
        sys.exit(1)


if __name__ == "__main__":
    main()
