from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flexedge.errors import BadField
from flexedge.gateway.service.files_in import Upload, beliefs_in
from flexedge.gateway.service.sheets import sheet
from flexedge.gateway.service.values_in import Target
from flexedge.store.rows import Beliefs, moment
from flexedge.store.tables.placed import PlacedSensor

NOW = datetime(2026, 4, 20, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


def read(
    text: str, unit: str = "kW", resolution: timedelta = QUARTER, *, kept: str = "kW",
    instantly: bool = False, **attributes: Any,
) -> Beliefs:  # fmt: skip
    placed = PlacedSensor("1/s", 1, "s", kept, resolution, "Europe/Amsterdam", None, attributes)
    upload = Upload(unit, NOW, instantly, placed.timezone)
    return beliefs_in(sheet("load.csv", text.encode()), Target(5, placed, 7), upload)


def told(rows: Beliefs) -> dict[str, float]:
    """Values by start, the clock's in UTC."""
    return {
        moment(us).strftime("%d. %H:%M"): value
        for us, value in zip(rows.event_us.tolist(), rows.value.tolist(), strict=True)
    }


def test_two_columns_are_starts_and_values() -> None:
    rows = read("Hour,Value\n2026-04-14T00:00:00+02:00,1.5\n2026-04-14T00:15:00+02:00,\n"
                "2026-04-14T00:30:00+02:00,nan\n2026-04-14T00:45:00+02:00,-1e-3\n")  # fmt: skip
    assert told(rows) == {"13. 22:00": 1.5, "13. 22:45": -0.001}
    assert {moment(us) for us in rows.belief_us.tolist()} == {NOW}
    assert (set(rows.sensor.tolist()), set(rows.source.tolist())) == ({5}, {7})


def test_columns_may_be_named_in_any_order() -> None:
    rows = read("event_value;event_start\n1,5;2026-04-14T00:00Z\n2;2026-04-14T00:15Z\n")
    assert told(rows) == {"14. 00:00": 1.5, "14. 00:15": 2.0}


def test_three_columns_hold_belief_times() -> None:
    rows = read(
        "a,b,c\n2026-04-14T00:00Z,2026-04-13T12:00Z,1\n2026-04-14T00:00Z,2026-04-13T13:00Z,2\n"
    )
    assert [moment(us).hour for us in rows.belief_us.tolist()] == [12, 13]
    assert rows.value.tolist() == [1, 2]


def test_values_may_be_believed_since_they_could_be() -> None:
    text = "a,b\n2026-04-14T00:00Z,1\n2026-04-14T01:00Z,2\n"
    for resolution in (QUARTER, HOUR, 2 * HOUR):
        rows = read(text, resolution=resolution, instantly=True)
        ends = [moment(us) + resolution for us in rows.event_us.tolist()]
        assert [moment(us) for us in rows.belief_us.tolist()] == ends


@pytest.mark.parametrize(
    ("kept", "unit", "resolution", "expected"),
    [
        ("kW", "kW", timedelta(minutes=30), [1, 2, 3, 4]),
        ("kW", "kW", HOUR, [1.5, 3.5]),
        ("kWh", "kWh", HOUR, [3, 7]),
        ("kW", "kWh", HOUR, [3, 7]),
        ("kWh", "kWh", QUARTER, [0.5, 0.5, 1, 1, 1.5, 1.5, 2, 2]),
        ("kW", "kW", QUARTER, [1, 1, 2, 2, 3, 3, 4, 4]),
    ],
)
def test_files_of_other_resolutions(
    kept: str, unit: str, resolution: timedelta, expected: list[float]
) -> None:
    lines = [f"2026-04-14T0{h}:{m}Z,{v}" for h, m, v in ((0, "00", 1), (0, "30", 2), (1, "00", 3),
                                                        (1, "30", 4))]  # fmt: skip
    text = "\n".join(["a,b", *lines])
    assert read(text, unit, resolution, kept=kept).value.tolist() == expected


def test_instants_stay_where_they_are() -> None:
    rows = read("a,b\n2026-04-14T00:03Z,1\n2026-04-14T07:59:59Z,2\n", resolution=timedelta(0))
    assert [moment(us).minute for us in rows.event_us.tolist()] == [3, 59]


def test_times_some_seconds_late_are_brought_down() -> None:
    text = "a,b\n2026-04-14T00:00:01Z,1\n2026-04-14T00:15:03Z,2\n2026-04-14T00:30:02Z,3\n"
    assert told(read(text)) == {"14. 00:00": 1, "14. 00:15": 2, "14. 00:30": 3}
    with pytest.raises(BadField, match="Resolution of 0:14:59 is incompatible"):
        read(text, floor_datetimes_to_resolution=False)


def test_times_without_an_offset_are_by_the_clocks_of_the_sensor() -> None:
    assert told(read("a,b\n2026-04-14 00:00,1\n")) == {"13. 22:00": 1}


def test_an_hour_that_comes_twice_is_told_by_its_order() -> None:
    hours = ["01:00", "02:00", "02:00", "03:00"]
    text = "\n".join(["a,b", *(f"2026-10-25 {hour},{i}" for i, hour in enumerate(hours))])
    assert told(read(text, resolution=HOUR)) == {
        "24. 23:00": 0, "25. 00:00": 1, "25. 01:00": 2, "25. 02:00": 3
    }  # fmt: skip


def test_an_hour_that_is_skipped_is_refused() -> None:
    with pytest.raises(BadField, match="which clocks in Europe/Amsterdam skip") as refused:
        read("a,b\n2026-03-29 01:00,1\n2026-03-29 02:30,1\n")
    assert refused.value.path == "load.csv, row 3"


def test_the_same_row_twice_is_one() -> None:
    assert told(read("a,b\n2026-04-14T00:00Z,1\n2026-04-14T00:00Z,1\n")) == {"14. 00:00": 1}


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("a,b\n14/04/2026,1", "load.csv, row 2", "write it as 2026-04-14T12:00:00+02:00"),
        ("a,b\n,1", "load.csv, row 2", "has the time"),
        ("a,b\n2026-04-14,x", "load.csv, row 2", "has the value 'x'"),
        ("a,b\n2026-04-14,1e999", "load.csv, row 2", "has the value"),
        ("a;b\n2026-04-14;1.234,5", "load.csv, row 2", "has the value"),
        ("a,b\n2026-04-14,1,5", "load.csv, row 2", "decimal commas"),
        ("a,b\n1800-04-14,1", "load.csv, row 2", "between 1900 and 2200"),
        ("a,b\n2026-04-14,1\n2026-04-14,2", "load.csv, row 3", "otherwise"),
        ("2026-04-14,1\n", "load.csv", "has no header"),
        ("a\n1", "load.csv", "it has 1"),
        ("event_start,event_value,strange\n", "load.csv", "has strange"),
        ("event_start,value,event_value\n", "load.csv", "a column twice"),
        ("\n\n", "load.csv", "is empty"),
        ("a,b\n2026-04-14T00:00Z,1\n2026-04-14T00:20Z,1", "load.csv", "Resolution of 0:20:00"),
    ],
)
def test_what_is_wrong_is_told_with_its_row(text: str, path: str, words: str) -> None:
    with pytest.raises(BadField) as refused:
        read(text)
    assert refused.value.path == path
    assert words in refused.value.message


def test_units_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadField, match="of the same kind"):
        read("a,b\n2026-04-14,1\n", "EUR")
    with pytest.raises(BadField, match="too large"):
        read("a,b\n2026-04-14,1e308\n", "PW")


def test_a_file_without_values_says_nothing() -> None:
    assert len(read("a,b\n2026-04-14,\n")) == len(read("a,b\n")) == 0
