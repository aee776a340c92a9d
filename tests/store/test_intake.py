from pathlib import Path

import pytest

from flexedge.errors import StoreError
from flexedge.store.intake import BadRow, columns, factor, judged, read
from flexedge.store.local.engine import Engine, Limits

HEAD = ["event_start", "belief_time", "source", "probability", "value [MW]", "quality"]
GOOD = dict(zip(HEAD, ["2026-01-01T01:00:00.5+01:00", "", "me", "0.1", "-2e1", ""], strict=True))


def test_a_row() -> None:
    found = columns(HEAD)
    assert (found.unit, found.beliefs) == ("MW", True)
    row = judged(7, GOOD, found)
    assert (row.line, row.event_us, row.value) == (7, 1_767_225_600_500_000, -20.0)
    assert (row.belief_us, row.source, row.probability) == (None, "me", 0.1)
    assert not columns(["value", " Event_Start "]).beliefs


@pytest.mark.parametrize(
    ("cell", "content", "why"),
    [
        ("event_start", "14.4.2026", "write it as 2026-04-14T12:00:00Z"),
        ("event_start", "2026-04-14T12:00:00", r"without a zone; end it with Z or \+02:00"),
        ("event_start", None, "more or fewer cells"),
        ("value [MW]", "1,5", "a number such as 1.5"),
        ("value [MW]", "", "a number such as 1.5"),
        ("value [MW]", "nan", "leave the row out"),
        ("probability", "50", "between 0 and 1"),
        ("quality", "fine", "one of good, missing"),
        ("belief_time", "yesterday", "the belief_time 'yesterday'"),
    ],
)
def test_a_bad_row_says_what_would_be_right(cell: str, content: str | None, why: str) -> None:
    with pytest.raises(BadRow, match=why):
        judged(1, GOOD | {cell: content}, columns(HEAD))


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["time", "value"], "lacks event_start; it should be event_start"),
        (["event_start", "value", "colour"], "has colour"),
        (["event_start", "value", "value [kW]"], "two columns value"),
    ],
)
def test_a_bad_header(names: list[str], why: str) -> None:
    with pytest.raises(StoreError, match=why):
        columns(names)


def test_units() -> None:
    assert factor("W", "kW") == 0.001
    assert factor("EUR/MWh", "EUR/kWh") == 0.001
    assert factor("spam", "spam") == 1.0
    with pytest.raises(StoreError, match="values in kWh cannot become kW"):
        factor("kWh", "kW")
    with pytest.raises(StoreError, match="did you mean 'kW'"):
        factor("KW", "kW")


def test_semicolons_and_a_mark_at_the_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeffevent_start;value\n2026-01-01T00:00Z;1\n\n2026-01-02T00:00Z;2;3\n")
    found, portions = read(path, Engine(tmp_path, tmp_path, Limits()))
    rows = [row for portion in portions for row in portion]
    assert [line for line, _ in rows] == [2, 4]
    assert judged(2, rows[0][1], found).value == 1.0
    with pytest.raises(BadRow, match="more or fewer cells"):
        judged(4, rows[1][1], found)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(StoreError, match="text in UTF-8"):
        read(path, Engine(tmp_path, tmp_path, Limits()))


def test_parquet(tmp_path: Path) -> None:
    engine = Engine(tmp_path, tmp_path, Limits())
    path = tmp_path / "a.parquet"
    select = "select to_timestamp(60 * i) as event_start, i as value from range(60000) t(i)"
    engine.run(f"copy ({select}) to '{path}' (format parquet)")
    found, portions = read(path, engine)
    rows = [judged(line, row, found) for portion in portions for line, row in portion]
    assert [row.line for row in rows[:2]] == [1, 2]
    assert [row.event_us for row in rows] == [n * 60_000_000 for n in range(60_000)]
