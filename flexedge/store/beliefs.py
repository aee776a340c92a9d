"""Time series by the names of their sensors: what the gateway says to an archive, and asks of it.

Readings wait in memory for the next ``flush``; on a disk that refuses them they go on waiting, the
oldest go when there are too many. Forecasts and schedules are kept when ``save`` returns.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from flexedge.domain.asset import Sensor, Source
from flexedge.domain.belief import CODES, Belief, Reading
from flexedge.domain.series import Series, TimeGrid
from flexedge.errors import StoreError
from flexedge.store import rows
from flexedge.store.archive import (
    Archive,
    Asked,
    Registry,
    Since,
    Stamp,
    Statistics,
    Stretch,
    Tally,
)
from flexedge.store.inbox import RIGHT, Inbox, News
from flexedge.store.merging import day_edges, merged
from flexedge.store.names import Names
from flexedge.store.news import Verdict
from flexedge.store.placing import believed, on, stamps, us
from flexedge.store.rows import Buckets, Ingested, Readings, micros, moment
from flexedge.store.sources import Which, numbers
from flexedge.store.spans import Span

BATCH = 500
"""So many readings are written without waiting for the next flush."""
_WAITING = 200_000  # readings kept in memory while the disk refuses them; then the oldest go
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class BeliefRow:
    """One belief about one event; readings are believed from the moment they were taken."""

    event_start: datetime
    belief_time: datetime
    source: str
    value: float | None


class Beliefs:
    """The time series of one gateway. Safe to use from any thread. Raises ``StoreError``."""

    def __init__(self, archive: Archive, registry: Registry) -> None:
        self._archive = archive
        self._registry = registry
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._waiting: deque[Reading] = deque(maxlen=_WAITING)
        self._inbox = Inbox(archive, registry)
        self._stamp = RIGHT
        self.on_many: Callable[[], None] = lambda: None
        """Called when so many readings wait that they should not wait for longer."""
        self.dropped = 0
        """Readings lost because the disk refused them for too long."""
        self._names = Names(archive, registry)
        self._ids = self._names.sensors

    def register(self, sensor: Sensor) -> int:
        """Make a sensor known; its number is kept for good.

        Where values of it are held in another unit, these stay under their number with another
        name, and without an asset; the sensor gets a new number.
        """
        with self._lock:
            known = self._ids.get(sensor.name)
            if known is not None and self._registry.sensors()[known].unit != sensor.unit:
                self.flush()  # what waits is of the old one
            return self._names.register(sensor)

    def source(self, source: Source) -> int:
        """Make a source known; its number is kept for good."""
        with self._lock:
            return self._names.source(source)

    @property
    def sensors(self) -> tuple[str, ...]:
        """Every sensor known."""
        return tuple(self._ids)

    def sensor(self, name: str) -> Sensor:
        """What is known of a sensor. Raises ``StoreError`` for one that is not."""
        number = self._ids.get(name)
        if number is None:
            raise StoreError(f"there is no sensor {name!r}")
        return self._registry.sensors()[number]

    def append(self, readings: Iterable[Reading]) -> None:
        """Queue readings of registered sensors for the next ``flush``; returns at once."""
        come = tuple(readings)
        self.dropped += max(len(self._waiting) + len(come) - _WAITING, 0)
        self._waiting.extend(come)
        if len(self._waiting) >= BATCH:
            self.on_many()

    def flush(self, stamp: Stamp | None = None) -> int:
        """Write what is queued, as one; returns how many readings.

        ``stamp``: how the clock stood (None: as last time). On ``StoreError`` nothing is lost: the
        readings stay queued.
        """
        with self._flushing:
            self._stamp = stamp or self._stamp
            batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
            try:
                if batch:
                    self._archive.commit(self._readings(batch), rows.Beliefs.empty(), self._stamp)
            except StoreError:
                self._waiting.extendleft(reversed(batch))
                raise
            self._inbox.pay()
            return len(batch)

    def _rows(self, belief: Belief, source: int) -> rows.Beliefs:
        number = self._ids[belief.sensor]
        return believed(belief, number, source, self._registry.sensors()[number].resolution)

    def _readings(self, batch: Sequence[Reading]) -> Readings:
        return Readings(
            np.array([self._ids[one.sensor] for one in batch], np.int32),
            stamps([one.event_start for one in batch]),
            np.array([np.nan if one.value is None else one.value for one in batch], np.float64),
            np.array([CODES[one.quality] for one in batch], np.uint8),
        )

    def save(self, beliefs: Sequence[Belief], source: Source) -> None:
        """Keep what a source believes; steps without a value are left out.

        What says the same as the source's belief before it is not kept again (``store.news``); of
        two that differ in nothing but the value the later one counts. On ``StoreError`` they are
        kept in memory and written with the next readings (but for a source that nobody knows yet);
        to save them once more does no harm.
        """
        number = self.source(source)
        made = rows.Beliefs.joined([self._rows(belief, number) for belief in beliefs])
        if len(made):
            with self._flushing:
                self._inbox.save(made)

    def post(self, made: rows.Beliefs, *, overwriting: bool = False) -> Verdict:
        """Keep rows of registered sensors and sources, all or none, and say what was new of them.

        They are on the disk when this returns. Where something would be replaced (``Verdict``)
        nothing is kept unless that is allowed. On ``StoreError`` nothing is kept, nor owed.
        """
        with self._flushing:
            return self._inbox.post(made, overwriting=overwriting)

    def listen(self, news: News) -> None:
        """Let one hear what is kept of beliefs from now on."""
        self._inbox.on_news = news

    def mean(self, sensor: str, grid: TimeGrid) -> Series:
        """The mean of a sensor's usable readings in each step; NaN where there are none."""
        values = np.full(grid.n, np.nan)
        if sensor in self._ids and grid.n:
            found = self.buckets((sensor,), grid)
            values[(found.start_us - micros(grid.start)) // us(grid.resolution)] = found.mean
        return Series(grid, values)

    def buckets(self, sensors: Sequence[str], grid: TimeGrid) -> Buckets:
        """Readings summed up in each step of a grid; steps without any are left out."""
        numbers = [self._ids[name] for name in sensors if name in self._ids]
        return self._archive.buckets(numbers, grid.start, grid.resolution, grid.n)

    def buckets_of(self, sensors: Sequence[str], grid: TimeGrid) -> dict[str, Buckets]:
        """The same by sensor; those without any are left out."""
        found = self.buckets(sensors, grid)
        numbers, begins = np.unique(found.sensor, return_index=True)
        ends = np.searchsorted(found.sensor, numbers, side="right")
        names = {self._ids[name]: name for name in sensors if name in self._ids}
        return {
            names[number]: found.take(np.arange(begin, end))
            for number, begin, end in zip(numbers.tolist(), begins, ends, strict=True)
        }

    def days(self, sensors: Sequence[str], first: date, n: int, zone: ZoneInfo) -> Buckets:
        """Readings summed up in days on site, of 23, 24 or 25 hours; empty ones are left out."""
        numbers = [self._ids[name] for name in sensors if name in self._ids]
        edges = day_edges(first, n, zone)
        start, end = int(edges[0]), int(edges[-1])
        step = _HOUR if not (edges % us(_HOUR)).any() else timedelta(minutes=5)
        fine = self._archive.buckets(numbers, moment(start), step, (end - start) // us(step))
        known = self._registry.sensors().items()
        turns = {number: one.turns_at for number, one in known if one.turns_at is not None}
        return merged(fine, edges, us(step), turns)

    def energies_kwh(self, start: datetime, end: datetime) -> dict[str, float]:
        """The integral of every power sensor's usable readings: kWh by sensor name.

        A reading stands until the next one, at most a minute, so gaps are not filled.
        """
        powers = {
            number: one.name for number, one in self._registry.sensors().items() if one.unit == "kW"
        }
        found = self._archive.buckets(list(powers), start, end - start, 1)
        return {
            powers[number]: integral / 3600.0
            for number, integral in zip(found.sensor.tolist(), found.integral.tolist(), strict=True)
        }

    def latest(self, sensors: Sequence[str], now: datetime) -> dict[str, Reading]:
        """The newest usable reading of each sensor that has one."""
        numbers = {self._ids[name]: name for name in sensors if name in self._ids}
        found = self._archive.latest(list(numbers), now)
        return {
            numbers[sensor]: Reading(numbers[sensor], moment(us), value)
            for sensor, us, value in zip(
                found.sensor.tolist(), found.event_us.tolist(), found.value.tolist(), strict=True
            )
        }

    def between(
        self, sensor: str, start: datetime, end: datetime, limit: int = 10_000
    ) -> list[BeliefRow]:
        """All that was read, forecast or planned for a sensor's events in [start, end).

        In order of event, then belief time; the newest ``limit`` of them.
        """
        if sensor not in self._ids:
            return []
        number, sources = self._ids[sensor], self._registry.sources()
        read = self._archive.readings([number], start, end)
        held = self._archive.beliefs(Asked((number,), start, end, most_recent=False), {})
        event = np.concatenate([read.event_us, held.event_us])
        belief = np.concatenate([read.event_us, held.belief_us])
        value = np.concatenate([read.value, held.value])
        source = np.concatenate([np.full(len(read), -1), held.source])
        order = np.lexsort((belief, event))[-limit:]
        return [
            BeliefRow(
                moment(event[i]),
                moment(belief[i]),
                "reading" if source[i] < 0 else sources[int(source[i])].name,
                None if np.isnan(value[i]) else float(value[i]),
            )
            for i in order
        ]

    def ask(self, sensors: Sequence[str], asked: Asked, which: Which | None = None) -> rows.Beliefs:
        """What is believed of sensors: ``asked``, of whose sensors and sources nothing counts.

        By sensor, event, source, belief time and probability; unknown sensors are left out. As of
        a past moment: ``asked.believed_until``.
        """
        known = self._registry.sensors()
        of = self._of(sensors, asked, which)
        return self._archive.beliefs(of, {number: known[number].known for number in of.sensors})

    def _of(self, sensors: Sequence[str], asked: Asked, which: Which | None) -> Asked:
        mine = {self._ids[name]: None for name in sensors if name in self._ids}
        sources = None if which is None else numbers(which, self._registry.sources())
        return replace(asked, sensors=tuple(mine), sources=sources)

    def statistics(
        self, sensors: Sequence[str], asked: Asked, which: Which | None = None
    ) -> list[Statistics]:
        """What there is about sensors, by source; without ``which`` of readings, too."""
        of = self._of(sensors, asked, which)
        return self._archive.statistics(of) if of.sensors else []

    def epoch(self) -> int:
        """Another one as soon as ingest numbers may begin anew; see ``Archive``."""
        return self._archive.epoch()

    def top(self) -> int:
        """The ingest number up to which nothing can come in any more."""
        return self._archive.top()

    def since(
        self, sensor: str, span: Span, which: Which | None = None, limit: int = 10_000, *,
        newest_first: bool = False,
    ) -> Stretch:  # fmt: skip
        """What came in about a sensor: at most so many beliefs, and how far they go."""
        number, (lo, hi) = self._ids.get(sensor), span
        if number is None:
            return Stretch(Ingested.empty(), lo, hi)
        sources = None if which is None else numbers(which, self._registry.sources())
        return self._archive.since(Since(number, lo, hi, sources, limit, newest_first))

    def tally(self, sensors: Sequence[str], span: Span) -> list[Tally]:
        """How much came in about sensors, by number of sensor and source."""
        known = sorted({self._ids[name] for name in sensors if name in self._ids})
        return self._archive.tally(*span, known) if known else []

    def delete(
        self, sensor: str, source: Source | None, start: datetime | None, end: datetime | None
    ) -> int:
        """Take what one source believed out for good; None: of all, and the readings, too."""
        if sensor not in self._ids:
            return 0
        number = None if source is None else self.source(source)
        return self._archive.delete(self._ids[sensor], number, start, end)

    def believed(self, sensor: str, source: str, grid: TimeGrid) -> Series:
        """The newest belief of one source about each step of ``grid``.

        Of events shorter than a step the mean, of instants the last one in it.
        """
        sources = numbers(Which(names=frozenset({source})), self._registry.sources())
        if sensor not in self._ids or not sources or not grid.n:
            return Series.constant(grid, np.nan)
        number = self._ids[sensor]
        step = self._registry.sensors()[number].resolution
        held = self._archive.beliefs(Asked((number,), grid.start - step, grid.end, sources), {})
        order = np.argsort(held.belief_us, kind="stable")
        return on(grid, step, held.event_us[order], held.value[order])

    def restamp(self, stamp: Stamp) -> int:
        """Date what this boot read before its clock was right; returns how many readings."""
        with self._flushing:
            self._stamp = stamp
            return self._archive.restamp(stamp)

    def conditions(self) -> Mapping[str, str]:
        """What is wrong with the store and what to do, by what it is about; "" is well."""
        return self._archive.conditions()

    def maintain(self, now: datetime) -> None:
        """Do what is due: compaction, roll-ups, retention."""
        self._archive.maintain(now)

    def close(self) -> None:
        """Write what is queued and let go of the archive."""
        try:
            self.flush()
        finally:
            self._archive.close()
