from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flexedge.cloud.shapes import Misshapen, mappings, number, run, text, unwrapped, wrapped
from flexedge.domain.runs import Run

NOON = datetime(2026, 4, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
VALUES = {"values": [1, 2.5, None, -3], "start": NOON.isoformat(), "duration": "PT1H", "unit": "kW"}


def test_values_come_as_a_run() -> None:
    assert run(VALUES) == Run(NOON, HOUR / 4, (1.0, 2.5, None, -3.0), "kW")
    assert run(VALUES | {"resolution": "PT15M"}).step == HOUR / 4
    assert run(VALUES | {"more": 1, "status": "PROCESSED"}) == run(VALUES)


def test_no_values_are_a_run_of_none() -> None:
    assert run(VALUES | {"values": []}).values == ()


def test_a_moment_of_values_is_one_value() -> None:
    found = run(VALUES | {"values": [1], "duration": "P0D"})
    assert found == Run(NOON, timedelta(0), (1.0,), "kW")


def test_what_is_no_number_is_missing_or_wrong() -> None:
    found = run(VALUES | {"values": [float("nan"), float("inf"), 10**400, 1e308]})
    assert found.values == (None, None, None, 1e308)
    odds: list[Any] = [True, "1", [1], {}]
    for odd in odds:
        with pytest.raises(Misshapen):
            run(VALUES | {"values": [odd]})


@pytest.mark.parametrize(
    "odd",
    [
        {"values": None}, {"values": 5}, {"values": [0] * 1_000_001}, {"start": "noon"},
        {"start": "2026-04-14T12:00"}, {"start": 5}, {"duration": "1 h"}, {"duration": None},
        {"duration": "P1M"}, {"resolution": "x"}, {"unit": 5}, {"duration": "-PT1H"},
        {"start": "0001-01-01T00:00:00+00:00"}, {"duration": "P0D"},
    ],
)  # fmt: skip
def test_what_is_no_run_is_told(odd: dict[str, Any]) -> None:
    with pytest.raises(Misshapen):
        run(VALUES | odd)
    with pytest.raises(Misshapen):
        run([])


def test_json_that_travels_as_text_is_a_value_here() -> None:
    told = {"id": 5, "attributes": '{"a": "[1]"}', "sensors_to_show": "[1]", "flex_model": {}}
    found = unwrapped(told)
    assert found == {
        "id": 5, "attributes": {"a": "[1]"}, "sensors_to_show": [1], "flex_model": {}
    }  # fmt: skip
    assert wrapped(found) == {
        "id": 5, "attributes": '{"a": "[1]"}', "sensors_to_show": "[1]", "flex_model": "{}"
    }  # fmt: skip
    assert wrapped({"attributes": "{}", "description": None}) == {
        "attributes": "{}", "description": None
    }  # fmt: skip


@pytest.mark.parametrize(
    "odd", [[], {}, {"id": "5"}, {"id": True}, {"id": -1}, {"id": 1, "attributes": "{"},
            {"id": 1, "flex_model": "[" * 100_000}],
)  # fmt: skip
def test_what_is_no_asset_is_told(odd: Any) -> None:
    with pytest.raises(Misshapen):
        unwrapped(odd)


def test_lists_come_plain_or_in_pages() -> None:
    assert mappings([{"id": 1}]) == mappings({"data": [{"id": 1}], "num-records": 1}) == [{"id": 1}]
    odds: list[Any] = [None, 5, [1], {"data": None}, {"data": [[]]}, "[]"]
    for odd in odds:
        with pytest.raises(Misshapen):
            mappings(odd)


def test_fields_have_their_kinds() -> None:
    assert number({"id": 0}) == 0
    assert text({"name": None}, "name") == text({}, "name") == ""
    odds: list[Any] = [5, ["x"], True]
    for odd in odds:
        with pytest.raises(Misshapen):
            text({"name": odd}, "name")
