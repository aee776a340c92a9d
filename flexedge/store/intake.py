"""Rows of a file (CSV or Parquet) read and judged: what is wrong in which line, what is right.

Some thousand lines at a time are in memory.
"""

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from flexedge.domain.belief import CODES, Quality
from flexedge.domain.units import parse_unit
from flexedge.errors import StoreError
from flexedge.store.exchange import literal
from flexedge.store.local import durable
from flexedge.store.local.engine import Engine
from flexedge.store.rows import micros

_LINES = 50_000
_VALUE = re.compile(r"value(?:\s*[\[(](?P<unit>[^\])]*)[\])])?")
_KNOWN = ("event_start", "value", "belief_time", "source", "probability", "quality")


class BadRow(ValueError):
    """What is wrong with a row, and what would be right."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What a file has, by what it is; ``unit``: as its header says."""

    places: Mapping[str, str]
    unit: str | None

    @property
    def beliefs(self) -> bool:
        """Whether the rows are beliefs; else they are readings."""
        return bool({"belief_time", "source", "probability"} & self.places.keys())


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file. Times are microseconds since 1970; None: the file does not say."""

    line: int
    event_us: int
    value: float
    belief_us: int | None
    source: str | None
    probability: float
    quality: int


def columns(names: Sequence[str]) -> Columns:
    """Which column is what. Raises ``StoreError`` with what a file should have."""
    places, unit = {}, None
    for name in names:
        plain = name.strip().lower().lstrip("\ufeff")
        match = _VALUE.fullmatch(name.strip().lstrip("\ufeff"))
        if match:
            plain, unit = "value", match["unit"]
        if plain in places:
            raise StoreError(f"there are two columns {plain}")
        places[plain] = name
    missing = [name for name in ("event_start", "value") if name not in places]
    strange = [name for name in places if name not in _KNOWN]
    if missing or strange:
        wrong = f"lacks {' and '.join(missing)}" if missing else f"has {', '.join(strange)}"
        raise StoreError(
            f"the header {wrong}; it should be event_start[,belief_time,source,probability],value,"
            " with the unit in brackets if it is not the sensor's: value [W]"
        )
    return Columns(places, unit)


def factor(unit: str, kept: str) -> float:
    """What turns a value of one unit into the sensor's. Raises ``StoreError``."""
    try:
        given, own = parse_unit(unit), parse_unit(kept)
    except ValueError as error:
        if unit == kept:
            return 1.0
        raise StoreError(str(error)) from error
    if (given.dimension, given.currency) != (own.dimension, own.currency):
        raise StoreError(f"values in {unit} cannot become {kept or 'shares'}, the sensor's unit")
    return given.factor / own.factor


def read(path: Path, engine: Engine) -> tuple[Columns, Iterator[list[tuple[int, dict[str, Any]]]]]:
    """The columns of a file, and its rows in portions, each with its line (Parquet: its row)."""
    if path.suffix == ".parquet":
        return _parquet(path, engine)
    return _csv(path)


def _csv(path: Path) -> tuple[Columns, Iterator[list[tuple[int, dict[str, Any]]]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} cannot be read as text in UTF-8: {error}") from error
    separator = ";" if first.count(";") > first.count(",") else ","
    found = columns(next(csv.reader([first], delimiter=separator), []))

    def portions() -> Iterator[list[tuple[int, dict[str, Any]]]]:
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file, delimiter=separator)
                rows = ((reader.line_num, row) for row in reader)
                while portion := list(islice(rows, _LINES)):
                    yield portion
        except OSError as error:
            raise durable.failed(str(path), error) from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise StoreError(f"{path} cannot be read on: {error}") from error

    return found, portions()


def _parquet(
    path: Path, engine: Engine
) -> tuple[Columns, Iterator[list[tuple[int, dict[str, Any]]]]]:
    about = engine.run(f"describe select * from read_parquet({literal(path)})")
    found = columns([name for name, *_ in about])
    types = {name: kind for name, kind, *_ in about}
    ((total,),) = engine.run(f"select count(*) from read_parquet({literal(path)})")

    def said(name: str) -> str:
        quoted = '"' + name.replace('"', '""') + '"'
        return f"epoch_us({quoted})" if types[name].startswith("TIMESTAMP") else quoted

    def portions() -> Iterator[list[tuple[int, dict[str, Any]]]]:
        listed = ", ".join(said(name) for name in found.places.values())
        for start in range(0, total, _LINES):
            rows = engine.run(
                f"select file_row_number, {listed}"
                f" from read_parquet({literal(path)}, file_row_number = true)"
                f" where file_row_number >= {start} and file_row_number < {start + _LINES}"
                " order by file_row_number"
            )
            yield [(number + 1, dict(zip(found.places.values(), rest, strict=True)))
                   for number, *rest in rows]  # fmt: skip

    return found, portions()


def judged(line: int, content: Mapping[Any, Any], found: Columns) -> Row:
    """A row out of its cells. Raises ``BadRow``."""
    if None in content or content.get(found.places["event_start"]) is None:
        raise BadRow("has more or fewer cells than the header")
    cells = {key: content.get(name) for key, name in found.places.items()}
    quality = _quality(cells.get("quality"))
    value = _number(cells["value"], "value", missing=quality == CODES[Quality.MISSING])
    probability = cells.get("probability")
    share = 0.5 if probability in (None, "") else _number(probability, "probability")
    if not 0 <= share <= 1:
        raise BadRow(f"has the probability {share:g}; it should be between 0 and 1")
    held = cells.get("belief_time")
    source = cells.get("source")
    return Row(
        line, _moment(cells["event_start"], "event_start"), value,
        None if held in (None, "") else _moment(held, "belief_time"),
        None if source in (None, "") else str(source), share, quality,
    )  # fmt: skip


def _moment(cell: Any, name: str) -> int:
    if isinstance(cell, int):
        return cell
    try:
        at = datetime.fromisoformat(str(cell).strip())
    except ValueError as error:
        raise BadRow(f"has the {name} {cell!r}; write it as 2026-04-14T12:00:00Z") from error
    if at.tzinfo is None:
        raise BadRow(f"has the {name} {cell!r} without a zone; end it with Z or +02:00")
    return micros(at)


def _number(cell: Any, name: str, *, missing: bool = False) -> float:
    if missing and cell in (None, ""):
        return math.nan
    try:
        number = float(cell)
    except (TypeError, ValueError) as error:
        raise BadRow(f"has the {name} {cell!r}; it should be a number such as 1.5") from error
    if not math.isfinite(number):
        raise BadRow(f"has the {name} {cell!r}; leave the row out where nothing is known")
    return number


def _quality(cell: Any) -> int:
    if cell in (None, ""):
        return CODES[Quality.GOOD]
    try:
        return CODES[Quality(str(cell))]
    except ValueError as error:
        known = ", ".join(one.value for one in Quality)
        raise BadRow(f"has the quality {cell!r}; it should be one of {known}") from error
