"""Time series out into files for spreadsheets and pandas: CSV and Parquet, one sensor each.

Times are ISO 8601 in UTC (CSV) or timestamps in UTC (Parquet); the unit stands in the header.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from flexedge.domain.asset import Sensor, Source
from flexedge.domain.belief import CODES
from flexedge.errors import StoreError
from flexedge.store.local import durable
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.partition import TIME, Kind
from flexedge.store.local.shelf import Window

Format = Literal["csv", "parquet"]
DAY_US = 86_400_000_000
AT_ONCE = 1_000_000
"""Rows that are sorted together."""
_OPTIONS: dict[Format, str] = {"csv": "format csv, header",
                               "parquet": "format parquet, compression zstd"}  # fmt: skip
_ORDER: dict[Kind, str] = {**TIME, "beliefs": "event_us, source, belief_us, probability"}
_SUMS = ("mean", "least", "most", "first", "last", "rise")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of which sensor."""

    number: int
    sensor: Sensor
    what: Kind = "readings"
    start_us: int | None = None
    end_us: int | None = None

    @property
    def window(self) -> Window:
        """As the archive asks."""
        return Window((self.number,), self.start_us, self.end_us)


def labels(sources: Mapping[int, Source]) -> dict[int, str]:
    """What sources are called in files: by name, with more where that says too little."""
    names = [one.name for one in sources.values()]
    return {
        number: one.name if names.count(one.name) == 1 else
        " / ".join(str(part) for part in (one.name, one.kind, one.model, one.version) if part)
        for number, one in sources.items()
    }  # fmt: skip


def literal(text: object) -> str:
    """A text as SQL has it."""
    return "'" + str(text).replace("'", "''") + "'"


def export(
    archive: LocalArchive, wanted: Wanted, sources: Mapping[int, Source],
    target: Path, form: Format,
) -> int:  # fmt: skip
    """Write rows in order of time into a new file; returns how many.

    The archive's engine must reach the target's folder (``Limits.beside``). Some rows at a time are
    in memory. Raises ``StoreError``; nothing is left then.
    """
    if target.exists():
        raise StoreError(f"{target} is there already; choose another name")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
            whole = Path(scratch) / "whole"
            rows = _write(archive, wanted, sources, whole, form)
            durable.sync_file(whole)
            durable.put_in_place(whole, target)
    except OSError as error:
        raise durable.failed(str(error.filename or target), error) from error
    return rows


def _write(
    archive: LocalArchive, wanted: Wanted, sources: Mapping[int, Source], whole: Path, form: Format
) -> int:
    select = _select(wanted, labels(sources), form)
    parts, count = whole.with_name("parts"), 0
    parts.mkdir()
    with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as out:
        for number, window in enumerate(_windows(archive, wanted)):
            part = parts / f"{number:06d}"

            def copy(rows: str, part: Path = part) -> str:
                ordered = f"{select} from {rows} order by {_ORDER[wanted.what]}"
                return f"copy ({ordered}) to {literal(part)} ({_OPTIONS[form]})"

            ((rows,),) = archive.ask(wanted.what, window, copy)
            count += rows
            if form == "csv":
                _add(part, out, head=not number)
                durable.remove(part)
    if form == "parquet":
        listed = ", ".join(literal(path) for path in sorted(parts.iterdir()))
        join = f"copy (from read_parquet([{listed}])) to {literal(whole)} ({_OPTIONS[form]})"
        archive.ask(wanted.what, wanted.window, lambda _rows: join)
    return count


def _add(part: Path, out: IO[bytes], *, head: bool) -> None:
    with part.open("rb") as file:
        if not head:
            file.readline()
        shutil.copyfileobj(file, out)


def _windows(archive: LocalArchive, wanted: Wanted) -> Iterator[Window]:
    """Whole days with about ``AT_ONCE`` rows together; at least one."""
    time = TIME[wanted.what]

    def count(rows: str) -> str:
        return f"select {time} // {DAY_US} as day, count(*) from {rows} group by day order by day"

    days = archive.ask(wanted.what, wanted.window, count, once=False)
    start, filled = wanted.start_us, 0
    for day, n in days:
        if filled and filled + n > AT_ONCE:
            yield Window((wanted.number,), start, day * DAY_US)
            start, filled = day * DAY_US, 0
        filled += n
    yield Window((wanted.number,), start, wanted.end_us)


def _select(wanted: Wanted, names: Mapping[int, str], form: Format) -> str:
    unit = f" [{wanted.sensor.unit}]" if wanted.sensor.unit else ""

    def named(column: str, more: str = unit) -> str:
        return f'{column} as "{column}{more}"'

    event = f"{_time(TIME[wanted.what], form)} as event_start"
    if wanted.what == "readings":
        qualities = " ".join(
            f"when {code} then {literal(one.value)}" for one, code in CODES.items()
        )
        return f"select {event}, {named('value')}, case quality {qualities} end as quality"
    if wanted.what == "beliefs":
        known = " ".join(f"when {number} then {literal(name)}" for number, name in names.items())
        source = f"case source {known} else source::varchar end" if known else "source::varchar"
        return (
            f"select {event}, {_time('belief_us', form)} as belief_time, {source} as source,"
            f" probability, {named('value')}"
        )
    sums = ", ".join(named(column) for column in _SUMS)
    per_s = f" [{wanted.sensor.unit} s]" if wanted.sensor.unit else ""
    return f"select {event}, count, {sums}, {named('integral', per_s)}"


def _time(column: str, form: Format) -> str:
    if form == "parquet":
        return f"to_timestamp({column} / 1e6)"
    at = f"make_timestamp({column})"
    return (
        f"case when {column} % 1000000 = 0 then strftime({at}, '%Y-%m-%dT%H:%M:%SZ')"
        f" else strftime({at}, '%Y-%m-%dT%H:%M:%S.%fZ') end"
    )
