"""The kernel's own power cut: ext4 on a loop device is shut down in the middle of the work.

``python -m tests.torture.cuts --cuts 2000``; as root. What was acknowledged counts only if that was
before the shutdown was asked for: while it is under way a sync may still return that came too late,
as the same loop with nothing but a file, appended to and synced, shows (``--control``).
"""

import contextlib
import fcntl
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.torture.kills import Child, Life, acknowledged, forked, go_on, soon, started
from tests.torture.library import QUICK
from tests.torture.plan import Plan
from tests.torture.work import options, planned

_SHUTDOWN, _NO_FLUSH = 0x8004587D, 2
_SIZE = 96 << 20
_BLOCK = 2000


class LoopDisk:
    """An ext4 file system of its own, in memory."""

    def __init__(self, scratch: Path) -> None:
        self._image = scratch / "image"
        self.folder = scratch / "mounted"
        self.folder.mkdir()
        with self._image.open("wb") as file:
            file.truncate(_SIZE)
        _do("mkfs.ext4", "-q", "-F", str(self._image))
        told = subprocess.run(
            ["losetup", "--show", "-f", str(self._image)],
            check=True,
            capture_output=True,
            text=True,
        )
        self._device = told.stdout.strip()
        self.mount()

    def mount(self) -> None:
        """As at a start."""
        _do("mount", "-o", "data=ordered", self._device, str(self.folder))

    def cut(self) -> int:
        """Lose power: nothing reaches the disk any more. When, by the monotonic clock."""
        number = os.open(self.folder, os.O_RDONLY)
        at = time.monotonic_ns()
        fcntl.ioctl(number, _SHUTDOWN, struct.pack("I", _NO_FLUSH))
        os.close(number)
        return at

    def again(self) -> None:
        """Power is back."""
        _do("umount", str(self.folder))
        _do("blockdev", "--flushbufs", self._device)
        self.mount()

    def close(self) -> None:
        """Give all of it back."""
        with contextlib.suppress(subprocess.CalledProcessError):
            _do("umount", str(self.folder))
        _do("losetup", "-d", self._device)


def _do(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@contextlib.contextmanager
def loop_disk() -> Iterator[LoopDisk]:
    """A disk that is gone afterwards."""
    with tempfile.TemporaryDirectory(dir=QUICK, prefix="torture-") as scratch:
        disk = LoopDisk(Path(scratch))
        try:
            yield disk
        finally:
            disk.close()


def _until_cut(disk: LoopDisk, child: Child, chance: random.Random) -> int:
    """Let a process run, cut the power, and end it; when that was."""
    soon(chance, child)
    at = disk.cut()
    os.kill(child.number, signal.SIGKILL)
    os.waitpid(child.number, 0)
    disk.again()
    return at


def cut(plan: Plan, cuts: int, disk: LoopDisk) -> Life:
    """Cut the power so often."""
    chance = random.Random(plan.seed)
    plan.prepare()
    life = Life(disk.folder / "data")
    life.begin()
    for _ in range(cuts):
        child = started(plan, life)
        at = _until_cut(disk, child, chance)
        go_on(plan, life, child.told(), at)
    return life


def _append(path: Path, acks: int) -> None:
    """Append and sync, and tell of it, for ever."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    done = os.fstat(file).st_size // _BLOCK
    while True:
        os.write(file, b"%08d" % done * (_BLOCK // 8))
        os.fsync(file)
        done += 1
        os.write(acks, b"%d %d\n" % (done, time.monotonic_ns()))


def control(seed: int, cuts: int, disk: LoopDisk) -> int:
    """The same with one plain file: how often something acknowledged was lost."""
    chance = random.Random(seed)
    path, lost = disk.folder / "log", 0
    for _ in range(cuts):
        path.unlink(missing_ok=True)
        child = forked(partial(_append, path))
        at = _until_cut(disk, child, chance)
        there = path.stat().st_size // _BLOCK if path.exists() else 0
        lost += acknowledged(child.told(), 0, at) > there
    return lost


def main(words: Sequence[str] | None = None) -> None:
    """As the first lines say."""
    parser = options(__doc__)
    parser.add_argument("--cuts", type=int, default=2000)
    parser.add_argument("--control", action="store_true")
    told = parser.parse_args(words)
    with loop_disk() as disk:
        if told.control:
            lost = control(told.seed, told.cuts, disk)
            print(f"power cuts by the kernel, control: {told.cuts}, {lost} lost")
            sys.exit(bool(lost))
        life = cut(planned(told), told.cuts, disk)
    print(f"power cuts by the kernel: {life.told()}")
    if life.faults:
        sys.exit(1)


if __name__ == "__main__":
    main()
