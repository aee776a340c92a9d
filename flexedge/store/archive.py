"""What keeps time series: the small interface that a gateway's files and PostgreSQL share.

Sensors and sources are numbers here; names, units and resolutions are the state's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from flexedge.domain.asset import Knowable, Sensor, Source
from flexedge.store.rows import Beliefs, Buckets, Ingested, Readings

Kind = Literal["sensor", "source"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """How the clock stood when readings were taken."""

    boot: str
    """The machine's boot, as the kernel calls it."""
    offset_us: int
    """What was added to the monotonic clock to get UTC."""
    trusted: bool
    """Whether that was right: synchronised, or kept by a clock that runs without power."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which beliefs are wanted; None: no limit. All bounds but ``end`` count themselves in."""

    sensors: tuple[int, ...]
    start: datetime | None = None
    """Events that start from here on,"""
    end: datetime | None = None
    """and before this."""
    sources: tuple[int, ...] | None = None
    believed_from: datetime | None = None
    believed_until: datetime | None = None
    """As of when: what was believed later does not count."""
    horizon_from: timedelta | None = None
    """Horizon: how long before its event could be known a belief was held (negative: after)."""
    horizon_until: timedelta | None = None
    most_recent: bool = True
    """Of each event and source only what was believed last (with all its probabilities)."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What there is of one source about one sensor. Of readings the source is None."""

    sensor: int
    source: int | None
    first_event: datetime
    last_event: datetime
    last_belief: datetime
    least: float
    most: float
    mean: float
    total: float
    count: int


@dataclass(frozen=True, slots=True)
class Since:
    """Which beliefs are wanted by when they came in: lo < ingest number <= hi."""

    sensor: int
    lo: int
    hi: int
    sources: tuple[int, ...] | None = None
    """None: of all."""
    limit: int = 10_000
    """So many rows at most: the first, or the last ones."""
    newest_first: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """All beliefs there are of what was asked with lo < ingest number <= hi; often less was asked.

    What another one with the same key took the place of is left out. The rows may be none even
    where there is more beyond: look at the bounds for how far it went.
    """

    rows: Ingested
    """In order of their numbers, the newest first if so asked."""
    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What came in of one source about one sensor; what was replaced later may be counted."""

    sensor: int
    source: int
    count: int
    last: int
    """The greatest ingest number."""
    first_event: datetime
    last_event: datetime


@dataclass(frozen=True, slots=True)
class Keep:
    """How long rows are kept; None: for ever."""

    readings: timedelta | None = timedelta(days=30)
    minutes: timedelta | None = timedelta(days=730)
    hours: timedelta | None = None
    beliefs: timedelta | None = timedelta(days=730)


class Archive(Protocol):
    """Time series that are kept. Safe to use from any thread. Raises ``StoreError``."""

    def commit(
        self, readings: Readings, beliefs: Beliefs, stamp: Stamp, *, replacing: bool = False
    ) -> None:
        """Keep rows, all or none; they are safe from a power cut when this returns.

        ``replacing``: some beliefs have the sensor, source, event, belief time and probability of
        others that are kept already, and count in their place; without it there should be none.
        Beliefs have no missing values.
        """

    def introduce(self, kind: Kind, number: int, words: str) -> None:
        """Note what a sensor or source number stands for, so that names can be found again."""

    def known(self, kind: Kind) -> Mapping[int, str]:
        """What was introduced."""

    def beliefs(self, asked: Asked, knowable: Mapping[int, Knowable]) -> Beliefs:
        """Beliefs in order of sensor, event, source, belief time, probability.

        ``knowable`` is needed of every sensor asked for where a horizon is.
        """

    def readings(self, sensors: Sequence[int], start: datetime, end: datetime) -> Readings:
        """Readings with start <= event < end in order of sensor and event, each event once.

        Of several readings of one sensor and moment the one kept last counts.
        """

    def buckets(self, sensors: Sequence[int], start: datetime, width: timedelta, n: int) -> Buckets:
        """Readings summed up in ``n`` stretches from ``start`` on; empty ones are left out.

        In order of sensor and start. Roll-ups are used where they say the same.
        """

    def latest(self, sensors: Sequence[int], now: datetime) -> Readings:
        """The newest usable reading until ``now`` of each sensor that has one."""

    def newest(self, sensors: Sequence[int], now: datetime) -> Beliefs:
        """The belief about the newest event that starts by ``now``, of each sensor."""

    def statistics(self, asked: Asked) -> list[Statistics]:
        """What there is about sensors, by sensor and source; horizons do not count.

        Every belief counts, not only the most recent ones. Of readings, too, where no sources are
        asked for.
        """

    def epoch(self) -> int:
        """Another one as soon as ingest numbers may begin anew, after all was lost; positive.

        Numbers of one epoch mean nothing in another.
        """

    def top(self) -> int:
        """The ingest number up to which nothing can come in any more; 0: nothing came yet.

        It never falls within an epoch, and all up to there is to be seen by who asks from now on.
        """

    def since(self, since: Since) -> Stretch:
        """Beliefs of one sensor in order of when they came in.

        A row keeps its number as long as it is there. One that takes the place of another has a
        number of its own.
        """

    def tally(self, lo: int, hi: int, sensors: Sequence[int] | None = None) -> list[Tally]:
        """What came in with lo < ingest number <= hi, by sensor and source.

        ``sensors``: None: of all.
        """

    def delete(
        self, sensor: int, source: int | None, start: datetime | None, end: datetime | None
    ) -> int:
        """Take beliefs of one source (None: of all, and the readings, too) out for good.

        Events with start <= event < end. Returns how many rows went.
        """

    def restamp(self, stamp: Stamp) -> int:
        """Date what this boot read before its clock was right; returns how many readings.

        What an untrusted clock dated is not to be seen before that.
        """

    def conditions(self) -> Mapping[str, str]:
        """What is wrong and what to do, by what it is about; "" is well."""

    def maintain(self, now: datetime) -> None:
        """Do what is due: bring acknowledged rows to where they stay, sum up, let old ones go."""

    def close(self) -> None:
        """Let go of everything; what was committed stays."""


class Registry(Protocol):
    """Who gives numbers to sensors and sources, for good."""

    def sensor_id(self, sensor: Sensor) -> int:
        """The number of a sensor, new or known."""

    def source_id(self, source: Source) -> int:
        """The number of a source, new or known."""

    def sensors(self) -> Mapping[int, Sensor]:
        """Every sensor by its number."""

    def sources(self) -> Mapping[int, Source]:
        """Every source by its number."""

    def reinstate(self, kind: Kind, number: int, words: str) -> None:
        """Put back a number that an archive knows."""
