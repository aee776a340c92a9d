"""Rows of a file into an archive: all of them or none, and each only once however often it comes.

What is right goes into a scratch file first; from there it goes past the journal, some days at a
time, and counts with one transaction.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.asset import Sensor
from flexedge.errors import StoreError
from flexedge.store.archive import Asked
from flexedge.store.exchange import DAY_US, literal
from flexedge.store.horizon import known
from flexedge.store.intake import BadRow, Columns, Row, factor, judged, read
from flexedge.store.local import durable
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.engine import Engine, Limits
from flexedge.store.rows import Beliefs, Micros, Readings, moment
from flexedge.store.runs import starts

_Rows = TypeVar("_Rows", Readings, Beliefs)
AT_ONCE = 300_000
"""Rows that are compared with what is there together, and make a file."""
_TOLD = 20
"""So many bad rows are told one by one."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows belong and how they are meant."""

    number: int
    sensor: Sensor
    unit: str | None = None
    """Of the values in the file; None: as the header says, or else the sensor's."""
    source: str | None = None
    """Who believed it, where the file does not say; given, the rows are beliefs."""
    source_id: Callable[[str], int] = lambda _name: 0
    """The number of a source by its name."""


@dataclass(slots=True)
class Intake:
    """What became of a file."""

    rows: int = 0
    stored: int = 0
    known: int = 0
    """Rows that were there already, to the letter."""
    replaced: int = 0
    """Of those stored: in the place of another value."""
    bad: int = 0
    told: list[str] = field(default_factory=list)
    """The first bad rows: their line, what is wrong and what would be right."""


def take_in(archive: LocalArchive, folder: Path, path: Path, target: Target, *,
            skip_bad: bool = False) -> Intake:  # fmt: skip
    """Bring a file in. Where a row is bad nothing is stored, unless bad rows are to be skipped.

    ``folder``: the archive's. Raises ``StoreError``; nothing is stored then.
    """
    with ExitStack() as stack:
        temp = folder / "temp"
        durable.make_folder(temp)
        try:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=temp)))
        except OSError as error:
            raise durable.failed(str(temp), error) from error
        engine = Engine(scratch, scratch, Limits(beside=(path.absolute().parent,)))
        stack.callback(engine.close)
        intake = Intake()
        found, portions = read(path.absolute(), engine)
        scratched = _Scratch(engine, scratch, target, found)
        for portion in portions:
            intake.rows += len(portion)
            scratched.add(_good(portion, found, intake))
        if scratched.rows and (skip_bad or not intake.bad):
            _store(archive, scratched, intake)
        return intake


def _good(portion: Sequence[tuple[int, dict[str, object]]], found: Columns,
          intake: Intake) -> list[Row]:  # fmt: skip
    rows = []
    for line, content in portion:
        try:
            rows.append(judged(line, content, found))
        except BadRow as error:
            intake.bad += 1
            if len(intake.told) < _TOLD:
                intake.told.append(f"line {line} {error}")
    return rows


class _Scratch:
    """Rows on their way, in files."""

    def __init__(self, engine: Engine, folder: Path, target: Target, found: Columns) -> None:
        self._engine = engine
        self._folder = folder
        self.target = target
        self.beliefs = found.beliefs or target.source is not None
        self.rows = 0
        if self.beliefs and target.source is None and "source" not in found.places:
            raise StoreError("these are beliefs, but of whom? Name their source with --source")
        unit = found.unit if target.unit is None else target.unit
        self._factor = 1.0 if unit is None else factor(unit, target.sensor.unit)
        self._sources: dict[str, int] = {}

    def add(self, rows: Sequence[Row]) -> None:
        """Put rows down."""
        if not rows:
            return
        event_us = np.array([row.event_us for row in rows], np.int64)
        given: dict[str, NDArray[Any]] = {
            "line": np.array([row.line for row in rows], np.int64),
            "event_us": event_us,
            "value": np.array([row.value for row in rows], np.float64) * self._factor,
            "quality": np.array([row.quality for row in rows], np.uint8),
        }
        if self.beliefs:
            given |= self._held(rows, event_us)
        part = self._folder / f"{self.rows:015d}.parquet"
        self._engine.over(given, f"copy (from given) to {literal(part)} (format parquet)")
        self.rows += len(rows)

    def _held(self, rows: Sequence[Row], event_us: Micros) -> dict[str, NDArray[Any]]:
        n, number = len(rows), self.target.number
        source = np.array([self._source(row.source) for row in rows], np.int32)
        share = np.array([row.probability for row in rows], np.float64)
        blank = Beliefs(np.full(n, number, np.int32), source, event_us, event_us, share, share)
        since = known(blank, {number: self.target.sensor.known})
        said = np.array([row.belief_us is not None for row in rows], np.bool_)
        given = np.array([row.belief_us or 0 for row in rows], np.int64)
        return {"source": source, "probability": share, "belief_us": np.where(said, given, since)}

    def _source(self, name: str | None) -> int:
        name = name or self.target.source or ""
        if name not in self._sources:
            self._sources[name] = self.target.source_id(name)
        return self._sources[name]

    def parts(self) -> Iterator[Readings | Beliefs]:
        """All rows, some days at a time in order; of several with the same key the last counts."""
        files = f"read_parquet({literal(self._folder / '*.parquet')})"
        days = self._engine.run(f"select event_us // {DAY_US} as day, count(*) from {files}"
                                " group by day order by day")  # fmt: skip
        groups: list[tuple[int, int]] = []
        filled = AT_ONCE + 1
        for day, n in days:
            if filled + n > AT_ONCE:
                groups.append((day, day))
                filled = 0
            groups[-1] = (groups[-1][0], day)
            filled += n
        keys = "event_us, source, belief_us, probability" if self.beliefs else "event_us"
        for first, last in groups:
            found = self._engine.arrays(
                f"select * from {files} where event_us >= {first * DAY_US}"
                f" and event_us < {(last + 1) * DAY_US}"
                f" qualify row_number() over (partition by {keys} order by line desc) = 1"
                f" order by {keys}",
                deadline_s=600,
            )
            found["sensor"] = np.full(len(found["line"]), self.target.number, np.int32)
            yield Beliefs.of(found) if self.beliefs else Readings.of(found)


def _store(archive: LocalArchive, scratch: _Scratch, intake: Intake) -> None:
    def news() -> Iterator[Readings | Beliefs]:
        intake.known = intake.replaced = intake.stored = 0
        for rows in scratch.parts():
            new, same, other = _compared(archive, rows)
            intake.known += same
            intake.replaced += other
            intake.stored += len(new)
            if len(new):
                yield new

    archive.absorb(news, lambda: intake.replaced > 0)


def _compared(
    archive: LocalArchive, rows: Readings | Beliefs
) -> tuple[Readings | Beliefs, int, int]:
    """The rows that say something new, how many are there already, how many say otherwise."""
    number = int(rows.sensor[0])
    start, end = moment(int(rows.event_us.min())), moment(int(rows.event_us.max()) + 1)
    if isinstance(rows, Readings):
        return _beside(archive.readings([number], start, end), rows)
    asked = Asked((number,), start, end, most_recent=False)
    return _beside(archive.beliefs(asked, {}), rows)


def _beside(held: _Rows, rows: _Rows) -> tuple[_Rows, int, int]:
    both: _Rows = type(rows).joined([held, rows])
    new = np.arange(len(both)) >= len(held)
    order = np.lexsort((new, *_keys(both)))
    again = ~starts(*(column[order] for column in _keys(both)))  # after a held one of that key
    value = both.value[order]
    same = np.zeros(len(both), np.bool_)
    same[1:] = (value[1:] == value[:-1]) | (np.isnan(value[1:]) & np.isnan(value[:-1]))
    known = np.empty(len(both), np.bool_)
    known[order] = again & same
    left = ~known[len(held) :]
    return rows.take(left), int((~left).sum()), int((again & ~same).sum())


def _keys(rows: Readings | Beliefs) -> tuple[NDArray[Any], ...]:
    if isinstance(rows, Readings):
        return (rows.event_us,)
    return (rows.probability, rows.belief_us, rows.source, rows.event_us)
