import io
import zipfile
from datetime import datetime

import openpyxl
import pytest

from flexedge.errors import BadField
from flexedge.gateway.service.sheets import MOST_ROWS, MOST_TEXTS, MOST_UNPACKED, Cell, sheet

MIDNIGHT = datetime(2026, 4, 14)  # noqa: DTZ001 (as sheets have it)


def cells(name: str, content: bytes) -> list[tuple[int, list[Cell]]]:
    return list(sheet(name, content).rows)


def book(*rows: tuple[object, ...], title: str = "Load") -> bytes:
    made = openpyxl.Workbook()
    made.active.title = title
    for row in rows:
        made.active.append(row)
    made.create_sheet("Second").append(("not", "read"))
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("text", "comma"),
    [("a,b\n1,2.5\n", False), ("a;b\n1;2,5\n", True), ("a\tb\r\n1\t2,5\r\n", True)],
)
def test_separators_are_found_in_the_header(text: str, *, comma: bool) -> None:
    read = sheet("load.csv", text.encode())
    assert read.comma is comma
    assert list(read.rows) == [(1, ["a", "b"]), (2, ["1", "2,5" if comma else "2.5"])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_marks_at_the_start_are_no_text(encoding: str) -> None:
    assert cells("l.CSV", "é,b\n".encode(encoding)) == [(1, ["é", "b"])]


def test_empty_lines_count_but_are_left_out() -> None:
    assert cells("l.csv", b"a,b\n\n , \n1,\n") == [(1, ["a", "b"]), (4, ["1", None])]


def test_quoted_cells_may_hold_separators() -> None:
    assert cells("l.csv", b'a,b\n"1,5",2\n') == [(1, ["a", "b"]), (2, ["1,5", "2"])]


def test_a_sheet_has_times_numbers_and_texts() -> None:
    read = sheet(
        "load.xlsx", book(("Hour", "Value"), (MIDNIGHT, 1.5), (), ("2026", None), (1, True))
    )
    assert read.name == "load.xlsx, sheet Load"
    assert list(read.rows) == [
        (1, ["Hour", "Value"]), (2, [MIDNIGHT, 1.5]), (4, ["2026"]), (5, [1.0, "True"])
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("load.xls", b"x", "neither CSV nor XLSX"),
        ("csv", b"x", "neither CSV nor XLSX"),
        ("load.csv", b"", "is empty"),
        ("load.csv", "é".encode("latin-1"), "UTF-8"),
        ("load.xlsx", b"no zip", "cannot be read as XLSX"),
        ("load.csv", b"a,b\n" + b"1" * 300, "very long"),
        ("load.csv", b"a,b\n" + b"1," * 20, "more than 12 cells"),
        ("load.csv", b'a,b\n"1"x,2', "is no CSV"),
        ("load.csv", b"a\n" + b"1\n" * (MOST_ROWS + 1), "more than 600000 rows"),
    ],
)
def test_what_cannot_be_read_is_refused(name: str, content: bytes, words: str) -> None:
    with pytest.raises(BadField, match=words) as told:
        cells(name, content)
    assert told.value.path.startswith(name)


def packed(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return file.getvalue()


def test_what_unpacks_to_too_much_is_refused() -> None:
    bomb = packed(a=bytes(MOST_UNPACKED), b=b"1")
    assert len(bomb) < 100_000
    with pytest.raises(BadField, match="unpacks to more than 48 MiB"):
        cells("load.xlsx", bomb)


def test_too_many_texts_are_refused() -> None:
    with pytest.raises(BadField, match="more than 8 MiB of texts"):
        cells("load.xlsx", packed(**{"xl/sharedStrings.xml": bytes(MOST_TEXTS + 1)}))


def test_what_unpacks_to_more_than_it_says_is_refused() -> None:
    honest = packed(a=bytes(5000))
    size = (5000).to_bytes(4, "little")
    assert honest.count(size) == 2
    with pytest.raises(BadField, match="cannot be read"):
        cells("load.xlsx", honest.replace(size, (50).to_bytes(4, "little")))


def test_a_cell_far_away_makes_no_room_for_all_before_it() -> None:
    made = openpyxl.Workbook()
    made.active["A1"], made.active["XFD1048576"] = "Hour", 1
    file = io.BytesIO()
    made.save(file)
    with pytest.raises(BadField, match="more than 1000 empty rows"):
        cells("load.xlsx", file.getvalue())


def test_other_zips_are_no_sheets() -> None:
    with pytest.raises(BadField, match="cannot be read as XLSX"):
        cells("load.xlsx", packed(a=b"1"))
