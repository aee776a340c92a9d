"""Uploaded files as rows of cells: CSV as text, sheets of XLSX as numbers, texts and times.

A file is read within bounds: what it unpacks to, its rows and its columns.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flexedge.errors import BadField

MOST_ROWS = 600_000
MOST_UNPACKED = 48 * 1024 * 1024
"""Bytes of all that is packed in an XLSX file."""
MOST_TEXTS = 8 * 1024 * 1024
"""Bytes of the texts of its cells, which are in memory all at once."""
_MOST_COLUMNS = 12
_MOST_CELL = 200  # letters
_MOST_EMPTY = 1000  # rows in a row
_PORTION = 1024 * 1024
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SEPARATORS = ";\t,"
_SHEETS = ("xlsx", "xlsm")
ENDINGS = ("csv", "txt", *_SHEETS)

Cell = str | float | datetime | None
"""What a cell holds; None where it is empty."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of cells with the number of each, from 1 on; the first is the header."""

    name: str
    """The file, and in it the sheet: "load.xlsx, sheet Sheet1"."""
    rows: Iterator[tuple[int, list[Cell]]]
    comma: bool
    """Whether "1,5" is one and a half: where commas do not separate cells."""


def sheet(name: str, content: bytes) -> Sheet:
    """The rows of a file, the first sheet of XLSX. Raises ``BadField``, while it is read, too."""
    ending = name.rpartition(".")[2].lower()
    if "." not in name or ending not in ENDINGS:
        raise BadField(name, "is neither CSV nor XLSX; its name should end in .csv or .xlsx.")
    if not content:
        raise BadField(name, "is empty.")
    return _xlsx(name, content) if ending in _SHEETS else _csv(name, content)


def _csv(name: str, content: bytes) -> Sheet:
    try:
        text = content.decode(_MARKS.get(content[:2], "utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadField(name, "is no text in UTF-8; save it as CSV in UTF-8.") from error
    _demand_row(name, text.count("\n"))
    head = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=head.count)
    return Sheet(name, _lines(name, text, separator), comma=separator != ",")


def _lines(name: str, text: str, separator: str) -> Iterator[tuple[int, list[Cell]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            cells: list[Cell] = [cell.strip() or None for cell in row]
            if any(cells):
                yield reader.line_num, _bounded(name, reader.line_num, cells)
    except csv.Error as error:
        raise BadField(f"{name}, row {reader.line_num}", f"is no CSV: {error}.") from error


def _demand_row(name: str, number: int) -> None:
    if number > MOST_ROWS + 1:
        raise BadField(name, f"has more than {MOST_ROWS} rows; send it in parts.")


def _bounded(name: str, number: int, cells: list[Cell]) -> list[Cell]:
    if len(cells) > _MOST_COLUMNS or any(isinstance(c, str) and len(c) > _MOST_CELL for c in cells):
        raise BadField(
            f"{name}, row {number}", f"has more than {_MOST_COLUMNS} cells, or a very long one."
        )
    return cells


def _xlsx(name: str, content: bytes) -> Sheet:
    _demand_small(name, content)
    # What reads sheets is imported where one comes: it takes 0.1 s, seconds on a Pi.
    from openpyxl import load_workbook  # noqa: PLC0415

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        found = book.worksheets[0]
        found.reset_dimensions()
    except Exception as error:  # the library raises whatever it stumbles over
        raise BadField(name, "cannot be read as XLSX; save it anew, or as CSV.") from error
    title = f"{name}, sheet {found.title}"
    return Sheet(title, _cells(title, found), comma=True)


def _cells(title: str, found: Any) -> Iterator[tuple[int, list[Cell]]]:
    rows = found.iter_rows(max_col=_MOST_COLUMNS + 1, values_only=True)
    number = last = 0
    while True:
        number += 1
        try:
            row = next(rows, None)
        except Exception as error:  # the library raises whatever it stumbles over
            raise BadField(
                f"{title}, row {number}", "cannot be read; save the file anew."
            ) from error
        if row is None:
            return
        _demand_row(title, number)
        if number - last > _MOST_EMPTY:
            raise BadField(title, f"has more than {_MOST_EMPTY} empty rows; delete what is below.")
        cells = [_cell(one) for one in row]
        while cells and cells[-1] is None:
            cells.pop()
        if cells:
            last = number
            yield number, _bounded(title, number, cells)


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return float(value)
    if value is None or isinstance(value, datetime):
        return value
    return str(value).strip() or None


def _demand_small(name: str, content: bytes) -> None:
    """Refuse what unpacks to more than is said, or than is allowed."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(one.file_size for one in packed.infolist()) > MOST_UNPACKED:
                raise BadField(name, f"unpacks to more than {MOST_UNPACKED >> 20} MiB.")
            texts = [one for one in packed.infolist() if "sharedstrings" in one.filename.lower()]
            if sum(one.file_size for one in texts) > MOST_TEXTS:
                raise BadField(name, f"has more than {MOST_TEXTS >> 20} MiB of texts.")
            for one in packed.infolist():
                with packed.open(one) as file:
                    while file.read(_PORTION):  # reads no more than is said, and checks the sum
                        pass
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError) as error:
        raise BadField(name, "cannot be read as XLSX; save it anew, or as CSV.") from error
