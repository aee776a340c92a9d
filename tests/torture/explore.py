"""Every state that a power cut may leave, or as many as are asked for, judged.

``python -m tests.torture.explore --steps 3000 --states 20000``
"""

import collections
import itertools
import json
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.library import QUICK, built, environment
from tests.torture.plan import Plan
from tests.torture.power import MODELS, Disk, Image, Model, Variant
from tests.torture.trace import CREATED, Act, Event, Forgotten, events, forgetting
from tests.torture.work import options, planned

_TRIES: tuple[Variant, ...] = ("killed", "synced", "random", "random", "random", "ordered",
                               "ordered")  # fmt: skip
_MARKED = {Act.RENAME, Act.UNLINK, Act.TRUNCATE, Act.SYNC_FOLDER, Act.MKDIR, Act.RMDIR, Act.LINK}
_BEFORE, _AFTER = 3, 6  # events around a marked one that are of interest, too


@dataclass(frozen=True, slots=True)
class Finding:
    """A state that is not what it should be, and how to get it again."""

    event: int
    variant: Variant
    acked: int
    fault: str


@dataclass(slots=True)
class Outcome:
    """What came out."""

    events: int = 0
    steps: int = 0
    states: int = 0
    kinds: collections.Counter[str] = field(default_factory=collections.Counter)
    findings: list[Finding] = field(default_factory=list)

    def told(self) -> str:
        """In a few lines."""
        kinds = ", ".join(f"{n} {kind or 'sound'}" for kind, n in sorted(self.kinds.items()))
        shown = [f"  event {one.event}, {one.variant}, {one.acked} acknowledged: {one.fault}"
                 for one in self.findings[:5]]  # fmt: skip
        head = f"{self.states} states of {self.steps} steps ({self.events} events): {kinds}"
        return "\n".join([head, *shown])


def record(plan: Plan, scratch: Path) -> list[Event]:
    """Do a plan to a new folder, and what was done to the disk by that."""
    folder, trace = scratch / "data", scratch / "trace"
    acks = scratch / "acks"
    for left in (trace, acks):  # both are written on from their ends
        left.unlink(missing_ok=True)
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-m", "tests.torture.work", str(folder), str(acks), *arguments(plan)],
        env=environment(built(scratch), folder, trace=trace, acks=acks),
        check=True,
    )
    shutil.rmtree(folder)
    return list(events(trace))


def arguments(plan: Plan) -> list[str]:
    """A plan as words of a command line."""
    minutes = plan.pace.total_seconds() / 60
    script = ["--script", " ".join(plan.script)]
    return ["--seed", str(plan.seed), "--steps", str(plan.n), "--minutes", str(minutes), *script]


class Bench:
    """Judges in processes of their own; one that dies is a finding."""

    def __init__(self, plan: Plan, scratch: Path, workers: int) -> None:
        self._plan = plan
        self._scratch = scratch
        self._free: queue.SimpleQueue[subprocess.Popen[str]] = queue.SimpleQueue()
        for _ in range(workers):
            self._free.put(self._hired())
        self._pool = ThreadPoolExecutor(workers)
        self._n = 0

    def _hired(self) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "tests.torture.judge", *arguments(self._plan)]
        quiet = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        return subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=quiet
        )

    def submit(self, image: Image, acked: int) -> Future[str]:
        """Have an image judged; gives the fault. The image may be changed after this."""
        self._n += 1
        folder = self._scratch / f"state-{self._n}"
        laid_out(image, folder)
        return self._pool.submit(self._judged, folder, acked, thorough=not self._n % 4)

    def _judged(self, folder: Path, acked: int, *, thorough: bool) -> str:
        judge = self._free.get()
        assert judge.stdin is not None
        assert judge.stdout is not None
        judge.stdin.write(json.dumps([str(folder), acked, thorough]) + "\n")
        judge.stdin.flush()
        line = judge.stdout.readline()
        if line:
            self._free.put(judge)
            shutil.rmtree(folder)
            fault, _ = json.loads(line)
            return str(fault)
        judge.wait()
        self._free.put(self._hired())
        return f"DIED: the judge of {folder} ended with {judge.returncode}"

    def close(self) -> None:
        """Send everybody home."""
        self._pool.shutdown()
        while not self._free.empty():
            judge = self._free.get()
            judge.communicate()


def laid_out(image: Image, folder: Path) -> None:
    """Write an image as files."""
    folder.mkdir()
    for name in image.folders:
        (folder / name).mkdir()
    for name, content in image.files.items():
        with (folder / name).open("wb") as file:
            file.write(content)


def points(trace: Sequence[Event], n: int, chance: random.Random) -> list[int]:
    """Before which events power is cut: at the first start, where names change, and anywhere."""
    databases: set[int] = set()
    marked: set[int] = set()
    first = len(trace)
    for at, event in enumerate(trace):
        if event.act is Act.OPEN and event.flags & CREATED and event.path.endswith(".db"):
            databases.add(event.file)
        if event.act is Act.ACK:
            first = min(first, at)
        if event.act in _MARKED or (event.act is Act.WRITE and event.file in databases):
            marked |= set(range(max(0, at - _BEFORE), min(len(trace), at + _AFTER)))
    chosen: set[int] = set()
    for pool, share in ((range(first + 1), 0.15), (sorted(marked), 0.5), (range(len(trace)), 0.35)):
        chosen |= set(evenly(pool, int(share * n) + 1, chance))
    return sorted(chosen)


def evenly(pool: Sequence[int], n: int, chance: random.Random) -> list[int]:
    """Any ``n`` of a pool, one out of each ``n``-th part of it; all where there are not so many."""
    n = min(n, len(pool))
    edges = [at * len(pool) // n for at in range(n + 1)]
    return [pool[chance.randrange(lo, hi)] for lo, hi in itertools.pairwise(edges)]


def states(
    trace: Sequence[Event], model: Model, at: Sequence[int], chance: random.Random
) -> Iterator[tuple[int, Variant, int, Image]]:
    """States at these events: which event, how, how much was acknowledged, and what is left."""
    disk, wanted, seen = Disk(model), set(at), set()
    for number, event in enumerate(trace):
        if number in wanted:
            for variant in _TRIES:
                image = disk.after_cut(variant, chance)
                if (image.print, disk.acked) not in seen:
                    seen.add((image.print, disk.acked))
                    yield number, variant, disk.acked, image
        disk.follow(event)


def explore(
    plan: Plan, trace: Sequence[Event], model: Model, n: int, scratch: Path
) -> Outcome:  # fmt: skip
    """Judge about ``n`` states of a trace."""
    chance = random.Random(plan.seed)
    outcome = Outcome(len(trace), plan.n)
    workers = os.cpu_count() or 1
    bench = Bench(plan, scratch, workers)
    waiting: collections.deque[tuple[int, Variant, int, Future[str]]] = collections.deque()

    def settle(most: int) -> None:
        while len(waiting) > most:
            event, variant, acked, future = waiting.popleft()
            fault = future.result()
            outcome.states += 1
            outcome.kinds[fault.partition(":")[0]] += 1
            if fault:
                outcome.findings.append(Finding(event, variant, acked, fault))

    try:
        at = points(trace, n // len(_TRIES) + 1, chance)
        for event, variant, acked, image in states(trace, model, at, chance):
            waiting.append((event, variant, acked, bench.submit(image, acked)))
            settle(3 * workers)
        settle(0)
    finally:
        bench.close()
    return outcome


def main(words: Sequence[str] | None = None) -> None:
    """As the first lines say."""
    parser = options(__doc__)
    parser.add_argument("--states", type=int, default=20_000, help="of each model, about")
    parser.add_argument("--forget", choices=("nothing", "folders", "logs"), default="nothing")
    parser.add_argument("--model", choices=MODELS, action="append")
    told = parser.parse_args(words)
    plan = planned(told)
    forgotten: Forgotten = told.forget
    found = 0
    with tempfile.TemporaryDirectory(dir=QUICK, prefix="torture-") as scratch:
        whole = record(plan, Path(scratch))
        trace = list(forgetting(iter(whole), forgotten))
        for model in told.model or MODELS:
            outcome = explore(plan, trace, model, told.states, Path(scratch))
            print(f"power cuts, model {model}, without syncs of {forgotten}: {outcome.told()}",
                  flush=True)  # fmt: skip
            found += len(outcome.findings)
    if found:
        sys.exit(1)


if __name__ == "__main__":
    main()
