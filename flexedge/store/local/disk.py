"""How full the disk is, what may be let go, and when it will be full: facts in, decisions out.

Free room counts with the ballast: a file that holds room so that there is some when the disk is
full. Files are judged by what the manifest says of them, never by their dates: clocks may be wrong.
"""

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from flexedge.store.archive import Keep
from flexedge.store.local import durable
from flexedge.store.local.partition import KINDS, Kind, Partition

MB = 1_000_000
BALLAST = "ballast"
_US = timedelta(microseconds=1)
_DAY_US = 86_400_000_000
_WEEK_US = 7 * _DAY_US
_HOUR_US = _DAY_US // 24
_FAR_DAYS = 3650.0
"""What is further away than that is never."""
_YOUNG: dict[Kind, int] = {"readings": _DAY_US, "minutes": 30 * _DAY_US}
"""What may be let go for want of room, in this order, and how young it must not be."""
_ASIDE = re.compile(r"\.(\d{8}T\d{6})(-\d+)?(-wal|-shm|-mark)?$")
_KINDS = ("readings", "minutes", "hours", "beliefs", "journal", "state", "backup", "quarantine",
          BALLAST, "other")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of the disk the data folder may use."""

    reserve_mb: int = 500
    """So much of the disk stays free, ballast included, or"""
    reserve_percent: float = 10.0
    """this share of it, if that is less."""
    quota_mb: int | None = None
    """The folder grows no larger; None: all but the reserve."""
    ballast_mb: int = 64
    """At most 5 % of the disk; 0: none."""

    def reserve(self, size: int) -> int:
        """Bytes that stay free on a disk of a size."""
        return int(min(self.reserve_mb * MB, size * self.reserve_percent / 100))

    def ballast(self, size: int) -> int:
        """Bytes of the ballast on a disk of a size."""
        return min(self.ballast_mb * MB, size // 20)


@dataclass(frozen=True, slots=True)
class Room:
    """A disk and what the data folder has of it, in bytes."""

    size: int
    free: int
    """For users other than root."""
    usage: Mapping[str, int]
    """By kind: readings, minutes, hours, beliefs, journal, state, backup, quarantine, ballast,
    other."""

    @property
    def used(self) -> int:
        """By all of the folder but the ballast."""
        return sum(self.usage.values()) - self.usage[BALLAST]

    @property
    def available(self) -> int:
        """What is free, and what the ballast would give."""
        return self.free + self.usage[BALLAST]

    def left(self, bounds: Bounds) -> int:
        """How much more may come until something has to go; below zero: that has to go now."""
        left = self.available - bounds.reserve(self.size)
        return left if bounds.quota_mb is None else min(left, bounds.quota_mb * MB - self.used)


GLIMPSE = "glimpse-"
"""How the folders begin by which others read meanwhile; they come and go."""


def measure(folder: Path) -> Room:
    """How things stand. Raises ``StoreError``."""
    try:
        disk = os.statvfs(folder)
        usage = dict.fromkeys(_KINDS, 0)
        for path, taken in _files(folder):
            usage[_kind(path)] += taken
    except OSError as error:
        raise durable.failed(str(folder), error) from error
    return Room(disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize, usage)


def _files(folder: Path, below: str = "") -> Iterator[tuple[str, int]]:
    """Every file by its path below the folder, with the bytes it takes from the disk."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith(GLIMPSE):  # further names of files counted already
                    yield from _files(Path(entry.path), f"{below}{entry.name}/")
                continue
            try:
                taken = entry.stat(follow_symlinks=False).st_blocks * 512
            except FileNotFoundError:
                continue  # it went meanwhile
            yield below + entry.name, taken


def _kind(path: str) -> str:
    first, _, rest = path.partition("/")
    if first == "history":
        first = rest.partition("/")[0]
    elif not rest:
        first = first.partition(".")[0]  # journal.db, journal.db-wal
    return first if first in _KINDS else "other"


def chosen(partitions: Sequence[Partition], rolled: int, need: int, now_us: int) -> list[Partition]:
    """What to let go for ``need`` bytes: the oldest readings, then the oldest 5-minute roll-ups.

    Never the readings of the last day, those not in the roll-ups yet, nor roll-ups of the last 30.
    A clock that is far ahead makes nothing old: the newest row says how late it is at most.
    """
    gone: list[Partition] = []
    for kind, young_us in _YOUNG.items():
        mine = [one for one in partitions if one.kind == kind]
        newest_us = max((one.last_us for one in mine), default=now_us)
        before_us = min(now_us, newest_us + _DAY_US) - young_us
        old = [
            one
            for one in mine
            if one.last_us < before_us and (kind != "readings" or one.hi <= rolled)
        ]
        for one in sorted(old, key=lambda one: (one.last_us, one.lo)):
            if sum(other.size for other in gone) >= need:
                break
            gone.append(one)
    return gone


def forecast(
    partitions: Sequence[Partition], keep: Keep, now_us: int, left: int
) -> timedelta | None:
    """In what time ``left`` bytes will be used up; None: not within ten years.

    Each kind grows as it did over the last week, until it is as old as it is kept.
    """
    growths = [_growth(kind, partitions, keep, now_us) for kind in KINDS]
    at, rest = 0.0, float(max(left, 0))
    for end in (*sorted(until for _, until in growths if not math.isinf(until)), math.inf):
        rate = sum(rate for rate, until in growths if until > at)
        if rate > 0 and rest <= rate * (end - at):
            days = at + rest / rate
            return None if days > _FAR_DAYS else timedelta(days=days)
        if not math.isinf(end):
            rest -= rate * (end - at)
            at = end
    return None


def _growth(
    kind: Kind, partitions: Sequence[Partition], keep: Keep, now_us: int
) -> tuple[float, float]:
    """Bytes a day, and for how many days until as much goes as comes."""
    mine = [one for one in partitions if one.kind == kind and one.first_us < now_us]
    if not mine:
        return 0.0, 0.0
    oldest = min(one.first_us for one in mine)
    since = min(max(oldest, now_us - _WEEK_US), now_us - _HOUR_US)
    grown = sum(one.size * _share(one, since, now_us) for one in mine)
    span: timedelta | None = getattr(keep, kind)
    until = math.inf if span is None else max(0.0, (span // _US - now_us + oldest) / _DAY_US)
    return grown / (now_us - since) * _DAY_US, until


def _share(one: Partition, lo_us: int, hi_us: int) -> float:
    """How much of a partition's time lies between two moments."""
    common = min(one.last_us, hi_us) - max(one.first_us, lo_us) + 1
    return max(common, 0) / (one.last_us - one.first_us + 1)


def about(span: timedelta) -> str:
    """A time to come, in the words of people."""
    days = span / timedelta(days=1)
    for most, unit, words in ((2, 0, "within two days"), (120, 1, "days"), (730, 30.44, "months")):
        if days < most:
            return f"in about {days / unit:.0f} {words}" if unit else words
    return f"in about {days / 365.25:.0f} years"


def leavings(folder: Path, now: datetime) -> list[Path]:
    """What goes after readings and roll-ups: quarantine of weeks ago, snapshots but the newest."""
    before = f"{now - timedelta(days=7):%Y%m%dT%H%M%S}"
    aside = [
        (match[1], path)
        for path in (folder / "quarantine").glob("*")
        if (match := _ASIDE.search(path.name)) and match[1] < before
    ]
    snapshots = sorted((folder / "backup").glob("*.db"))  # their names begin with their number
    return [path for _, path in sorted(aside)] + snapshots[:-1]
