"""How much is kept of what, and since when."""

from collections.abc import Mapping
from dataclasses import dataclass

from flexedge.domain.asset import Sensor
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.partition import KINDS, TIME, Kind, Partition
from flexedge.store.local.shelf import Window
from flexedge.store.rows import moment

_DAY_US = 86_400_000_000
_WEEK_US = 7 * _DAY_US


@dataclass(frozen=True, slots=True)
class KindStats:
    """The files of a kind; times are ISO 8601, of events."""

    kind: Kind
    files: int
    rows: int
    size: int
    first: str | None
    last: str | None
    daily: int
    """Bytes that a day of the newest week takes."""


@dataclass(frozen=True, slots=True)
class SensorStats:
    """The rows of a sensor, with those in the journal."""

    sensor: str
    readings: int
    beliefs: int
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class Stats:
    """All there is."""

    kinds: tuple[KindStats, ...]
    sensors: tuple[SensorStats, ...]
    waiting: int
    """Rows that are in the journal only."""
    undated: int
    """Readings of a clock that was not right yet."""


def look(archive: LocalArchive, sensors: Mapping[int, Sensor]) -> Stats:
    """Count what there is."""
    partitions = archive.partitions()
    counts = {kind: _by_sensor(archive, kind) for kind in ("readings", "beliefs")}
    numbers = sorted(sensors.keys() | counts["readings"].keys() | counts["beliefs"].keys())
    waiting, undated = archive.waiting()
    return Stats(
        tuple(_kind(kind, [one for one in partitions if one.kind == kind]) for kind in KINDS),
        tuple(_sensor(number, sensors, counts) for number in numbers),
        waiting,
        undated,
    )


def _by_sensor(archive: LocalArchive, kind: Kind) -> dict[int, tuple[int, int, int]]:
    sums = f"count(*), min({TIME[kind]}), max({TIME[kind]})"
    rows = archive.ask(
        kind,
        Window(),
        lambda rows: f"select sensor, {sums} from {rows} group by sensor",
        once=False,
    )
    return {sensor: (n, first, last) for sensor, n, first, last in rows}


def _sensor(
    number: int, sensors: Mapping[int, Sensor],
    counts: Mapping[str, Mapping[int, tuple[int, int, int]]],
) -> SensorStats:  # fmt: skip
    found = [counts[kind].get(number) for kind in ("readings", "beliefs")]
    there = [one for one in found if one]
    name = sensors[number].name if number in sensors else f"number {number}"
    return SensorStats(
        name, found[0][0] if found[0] else 0, found[1][0] if found[1] else 0,
        _iso(min((one[1] for one in there), default=None)),
        _iso(max((one[2] for one in there), default=None)),
    )  # fmt: skip


def _kind(kind: Kind, mine: list[Partition]) -> KindStats:
    first = min((one.first_us for one in mine), default=None)
    last = max((one.last_us for one in mine), default=None)
    daily = 0
    if first is not None and last is not None:
        late = [one for one in mine if one.last_us > last - _WEEK_US]
        span = max(last - min(one.first_us for one in late), _DAY_US)
        daily = round(sum(one.size for one in late) * _DAY_US / span)
    return KindStats(kind, len(mine), sum(one.rows for one in mine),
                     sum(one.size for one in mine), _iso(first), _iso(last), daily)  # fmt: skip


def _iso(us: int | None) -> str | None:
    return None if us is None else f"{moment(us):%Y-%m-%dT%H:%M:%SZ}"
