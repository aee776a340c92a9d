"""Power cuts at every point of a trace: ``python -m tests.torture.explore --states 20000``.

Runs the workload with the recorder, builds what a cut may have left of the folder, opens each such
state, and counts verdicts. ``--without dirsync`` or ``full`` takes those syncs for not done: then
promises must be found broken, or this finds nothing.
"""

import argparse
import collections
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.disk import VARIANTS, Disk, Model
from tests.torture.trace import Event, load

HERE = Path(__file__).parent
_NAMES = {"rename", "unlink", "truncate", "open", "mkdir", "dirsync", "allocate"}
_AROUND = (-2, -1, 0, 1, 2, 3)
_MEMORY = Path("/dev/shm")  # noqa: S108 (states are written and thrown away thousands of times)


@dataclass(slots=True)
class Result:
    """How states were judged."""

    verdicts: collections.Counter[str] = field(default_factory=collections.Counter)
    examples: dict[str, str] = field(default_factory=dict)
    events: int = 0

    @property
    def states(self) -> int:
        """How many different ones there were."""
        return self.verdicts.total()

    @property
    def broken(self) -> int:
        """How many broke a promise, or did not open."""
        return self.states - self.verdicts["ok"]

    def note(self, verdict: str, where: str) -> None:
        """One more."""
        kind = verdict.partition(":")[0]
        self.verdicts[kind] += 1
        if kind != "ok":
            self.examples.setdefault(kind, f"{verdict} ({where})")

    def text(self) -> str:
        """For people."""
        counts = ", ".join(f"{n} {kind}" for kind, n in sorted(self.verdicts.items()))
        lines = [f"{self.states} states out of {self.events} changes: {counts}"]
        return "\n  ".join([*lines, *self.examples.values()])


def built(source: str, folder: Path) -> Path:
    """A library of ours, compiled."""
    library = folder / f"{source}.so"
    subprocess.run(
        ["gcc", "-O2", "-fPIC", "-shared", "-o", library, HERE / f"{source}.c", "-ldl"], check=True
    )
    return library


def recorded(work: Path, batches: int) -> list[Event]:
    """The trace of a workload from the very beginning."""
    folder, trace = work / "data", work / "trace"
    environment = os.environ | {
        "LD_PRELOAD": str(built("record", work)), "REC_DIR": str(folder), "REC_TRACE": str(trace),
    }  # fmt: skip
    # its promises are of interest, too, so they lie below the folder's name
    command = [sys.executable, "-m", "tests.torture.workload", str(folder), f"{folder}.ack"]
    subprocess.run([*command, "0", str(batches - 1)], env=environment, check=True)
    return load(trace)


def points(events: list[Event], wanted: int, chance: random.Random) -> list[int]:
    """Where to cut: around every change of names, and anywhere else, as many as are wanted."""
    special = {
        at + more
        for at, event in enumerate(events)
        if event.kind in _NAMES
        for more in _AROUND
        if 0 < at + more < len(events)
    }
    chosen = set(chance.sample(sorted(special), min(len(special), wanted * 2 // 3)))
    rest = sorted(set(range(1, len(events))) - chosen)
    return sorted(chosen | set(chance.sample(rest, min(len(rest), wanted - len(chosen)))))


class Judges:
    """A process that opens states; another one takes its place when it dies."""

    def __init__(self) -> None:
        self._process = self._new()

    def _new(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tests.torture.judge"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def verdict(self, folder: Path, promises: list[str]) -> str:
        """What it says of one state."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(folder), promises]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if line:
            return str(json.loads(line))
        self._process.wait()
        self._process = self._new()
        return "breaks: the process died"

    def close(self) -> None:
        """No more states."""
        self._process.communicate("")


def states(
    events: list[Event], disk: Disk, wanted: int, chance: random.Random
) -> Iterator[tuple[str, dict[str, bytes], set[str]]]:
    """Different states at the points of a trace, and where each is from."""
    cuts = iter([*points(events, -(-wanted // len(VARIANTS)), chance), -1])
    cut, seen = next(cuts), set[bytes]()
    for at, event in enumerate(events):
        if at == cut:
            for variant in VARIANTS:
                files, folders = disk.left(chance, variant)
                digest = hashlib.blake2b()
                for path in sorted(files):
                    digest.update(path.encode() + b"\0" + files[path])
                digest.update(str(len(disk.acknowledged)).encode())
                if digest.digest() not in seen:
                    seen.add(digest.digest())
                    yield f"{variant} at change {at}, {event.kind}", files, folders
            cut = next(cuts)
        disk.see(event)


def explore(events: list[Event], model: Model, wanted: int, seed: int, without: str = "") -> Result:
    """Judge about as many states as are wanted."""
    chance, disk = random.Random(seed), Disk(model, without)  # noqa: S311 (chance by seed)
    result, judges = Result(events=len(events)), Judges()
    with tempfile.TemporaryDirectory(dir=_MEMORY) as name:
        for number, (where, files, folders) in enumerate(states(events, disk, wanted, chance)):
            folder = Path(name) / str(number)
            folder.mkdir()
            for path in sorted(folders):
                (folder / path).mkdir(parents=True, exist_ok=True)
            for path, content in files.items():
                (folder / path).write_bytes(content)
            result.note(judges.verdict(folder, disk.acknowledged), f"{model}, {where}")
            shutil.rmtree(folder)
    judges.close()
    return result


def main() -> int:
    """Exit code 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.explore", description=__doc__)
    parser.add_argument("--states", type=int, default=1000, help="of each model")
    parser.add_argument("--batches", type=int, default=1200, help="how long the workload is")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", choices=("ext4", "harsh"), action="append")
    parser.add_argument("--without", choices=("dirsync", "full"), default="")
    options = parser.parse_args()
    broken = 0
    with tempfile.TemporaryDirectory() as name:
        events = recorded(Path(name), options.batches)
    for model in options.model or ("ext4", "harsh"):
        result = explore(events, model, options.states, options.seed, options.without)
        sys.stdout.write(f"{model}: {result.text()}\n")
        broken += result.broken
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
