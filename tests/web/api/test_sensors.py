import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flexedge.domain.asset import Sensor
from flexedge.store.archive import Asked
from tests.web.api.things import SENSORS, Things, things

ONE = f"{SENSORS}/{{id}}"
RECORDED = Path(__file__).parents[4] / "shared/golden/client-exchanges.json"
NEW = {"name": "power", "event_resolution": "PT15M", "unit": "kW", "generic_asset_id": 1,
       "timezone": "Europe/Amsterdam", "attributes": '{"note": "from client"}'}  # fmt: skip


@pytest.fixture
def at(tmp_path: Path) -> Things:
    return things(tmp_path)


def test_a_new_sensor_is_told_as_flexmeasures_tells_it(at: Things) -> None:
    told = at.ask("POST", SENSORS, body=NEW, caller=at.member)
    assert (at.status, told) == (201, {
        "attributes": '{"note": "from client"}', "entity_address": "ea1.2026-05.localhost:fm1.1",
        "event_resolution": "PT15M", "generic_asset_id": 1, "id": 1, "name": "power",
        "timezone": "Europe/Amsterdam", "unit": "kW"})  # fmt: skip
    if RECORDED.is_file():
        exchanges = json.loads(RECORDED.read_text(encoding="utf-8"))
        posts = [one for one in exchanges if one["request"]["method"] == "POST"]
        theirs = [one["response"]["body"] for one in posts if one["request"]["path"] == SENSORS]
        assert len(theirs) == 5
        assert all(list(one) == list(told) for one in theirs)
    assert at.said(1) == ["Created sensor 'power': 1"]
    assert at.here.parts.beliefs.sensors == ("1/power",)


def test_instants_and_the_time_zone_of_nobody(at: Things) -> None:
    body = {"name": "soc", "event_resolution": "PT0M", "unit": "kWh", "generic_asset_id": 1}
    told = at.ask("POST", SENSORS, body=body)
    assert (told["event_resolution"], told["timezone"], told["attributes"]) == ("P0D", "UTC", "{}")


def test_one_sensor_has_a_status(at: Things) -> None:
    at.ask("POST", SENSORS, body=NEW)
    told = at.ask("GET", ONE, 1, headers={"host": "ems.example.com:5000"})
    assert told["status"] == 200
    assert told["entity_address"] == "ea1.2026-05.com.example.ems:fm1.1"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"generic_asset_id": 99}, 422,
         {"json": {"generic_asset_id": ["Generic asset with id 99 doesn't exist."]}}),
        ({"name": "taken"}, 422,
         {"json": {"name": ["A sensor with the name 'taken' already exists on asset 1."]}}),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused(
    at: Things, body: dict[str, Any], status: int, message: Any
) -> None:
    at.sensor(1, "taken")
    assert at.refused("POST", SENSORS, body=NEW | body) == (status, message)


def test_other_people_make_no_sensors(at: Things) -> None:
    assert at.refused("POST", SENSORS, body=NEW, caller=at.stranger)[0] == 403


def test_a_change_is_kept_and_told_to_the_audit_log(at: Things) -> None:
    at.ask("POST", SENSORS, body=NEW)
    body = {"name": "set-point", "unit": "MW", "event_resolution": "PT1H", "attributes": {"a": 1}}
    told = at.ask("PATCH", ONE, 1, body=body)
    assert (told["name"], told["unit"], told["event_resolution"]) == ("set-point", "MW", "PT1H")
    assert told == at.ask("GET", ONE, 1)
    assert at.here.parts.beliefs.sensor("1/power") == Sensor("1/power", "MW", timedelta(hours=1))
    assert at.said(1)[-1] == (
        "Updated sensor 'power': 1. Updated fields: Field name: name, Old value: power, New value:"
        " set-point; Field name: unit, Old value: kW, New value: MW; Field name: event_resolution,"
        " Old value: PT15M, New value: PT1H; Field name: attributes, Old value: {'note': 'from"
        " client'}, New value: {'a': 1}"
    )


def test_a_change_to_the_same_says_nothing(at: Things) -> None:
    at.ask("POST", SENSORS, body=NEW)
    at.ask("PATCH", ONE, 1, body={"name": "power", "timezone": "Europe/Amsterdam"})
    assert len(at.said(1)) == 1


def test_data_do_not_come_to_mean_something_else(at: Things) -> None:
    number = at.sensor(1)
    at.filled(number)
    status, message = at.refused("PATCH", ONE, number, body={"unit": "MW", "name": "x"})
    assert status == 422
    assert message["json"]["unit"][0].startswith("The sensor has data")
    assert at.ask("PATCH", ONE, number, body={"unit": "kW", "name": "x"})["name"] == "x"


def test_who_has_seen_something_else_does_not_change_it(at: Things) -> None:
    number = at.sensor(1)
    old = {"if-match": 'W/"0123"'}
    assert at.refused("PATCH", ONE, number, body={"name": "x"}, headers=old)[0] == 412
    assert at.ask("GET", ONE, number)["name"] == "power"


@pytest.mark.parametrize("name", ["name", "unit", "attributes"])
def test_nothing_becomes_null(at: Things, name: str) -> None:
    number = at.sensor(1)
    wrong = {"json": {name: ["Field may not be null."]}}
    assert at.refused("PATCH", ONE, number, body={name: None}) == (422, wrong)


def test_a_sensor_stays_on_its_asset(at: Things) -> None:
    number = at.sensor(1)
    with pytest.raises(ValidationError, match="generic_asset_id"):
        at.ask("PATCH", ONE, number, body={"generic_asset_id": 2})


def test_a_deleted_sensor_takes_its_data_and_never_comes_again(at: Things) -> None:
    number = at.sensor(1)
    at.filled(number)
    at.ask("DELETE", ONE, number)
    assert at.status == 204
    assert at.here.parts.state.placed.get(number) is None
    assert not at.here.parts.beliefs.statistics(("1/power",), Asked(()))
    assert at.said(1)[-1] == f"Deleted sensor 'power': {number}"
    again = at.sensor(1)
    assert again > number
    placed = at.here.parts.state.placed.get(again)
    assert placed is not None
    assert (placed.name, placed.key) == ("power", "1/power~2")


def test_what_the_site_file_defines_stays(at: Things) -> None:
    number = at.here.parts.beliefs.register(Sensor("battery.power", "kW", timedelta(minutes=15)))
    at.here.parts.state.placed.place(number, 1, "power", "UTC", {})
    status, message = at.refused("DELETE", ONE, number)
    assert (status, message[:50]) == (403, "The sensor 'power' is defined in the site file: ch")
    assert at.refused("PATCH", ONE, number, body={"name": "x"})[0] == 403
    sign = {"attributes": {"consumption_is_positive": False}}
    assert at.refused("PATCH", ONE, number, body=sign)[0] == 403
    told = at.ask("PATCH", ONE, number, body={"attributes": {"note": 1}})
    assert told["attributes"] == '{"note": 1}'
