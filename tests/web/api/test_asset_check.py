from pathlib import Path
from typing import Any

import pytest

from flexedge.domain.rights import Caller
from flexedge.store.tables.accounts import Account
from tests.web.api.things import ADMIN, ASSETS, BATTERY, Things, things

ONE = f"{ASSETS}/{{id}}"


@pytest.fixture
def at(tmp_path: Path) -> Things:
    return things(tmp_path)


def test_consultants_make_assets_for_their_clients(at: Things) -> None:
    at.here.parts.state.accounts.change(at.other, Account("Client", consultancy_account_id=1))
    consultant = Caller("user", 7, "con", 1, frozenset({"consultant"}))
    body = {"name": "new", "generic_asset_type_id": BATTERY, "account_id": at.other}
    assert at.ask("POST", ASSETS, body=body, caller=consultant)["account_id"] == at.other


def test_a_child_of_somebody_else_is_for_who_may_make_both(at: Things) -> None:
    body = {"name": "new", "generic_asset_type_id": BATTERY, "parent_asset_id": 1,
            "account_id": at.other}  # fmt: skip
    assert at.refused("POST", ASSETS, body=body)[0] == 422
    assert at.ask("POST", ASSETS, body=body, caller=ADMIN)["account_id"] == at.other


def test_an_asset_moves_below_another_one(at: Things) -> None:
    site = at.asset("site")
    assert at.ask("PATCH", ONE, site, body={"parent_asset_id": 1})["parent_asset_id"] == 1
    assert at.ask("PATCH", ONE, site, body={"parent_asset_id": None})["parent_asset_id"] is None


@pytest.mark.parametrize(
    ("parent", "message"),
    [
        (99, "Parent GenericAsset with id 99 doesn't exist."),
        (3, "An asset cannot be below itself: choose a parent that is not below it."),
        (2, "An asset cannot be below itself: choose a parent that is not below it."),
        (4, "Parent asset must belong to the same account as the child asset."),
    ],
)
def test_an_asset_does_not_move_anywhere(at: Things, parent: int, message: str) -> None:
    site = at.asset("site")
    at.asset("child", parent_asset_id=site)
    at.asset("shed", account_id=at.other)
    wrong = {"json": {"parent_asset_id": [message]}}
    assert at.refused("PATCH", ONE, site, body={"parent_asset_id": parent}) == (422, wrong)


def test_what_another_system_calls_an_asset_is_its_own(at: Things) -> None:
    site = at.asset("site", external_id="x")
    wrong = {"json": {"external_id": ["Another asset is 'x' already."]}}
    assert at.refused("PATCH", ONE, 1, body={"external_id": "x"}) == (422, wrong)
    assert at.ask("PATCH", ONE, site, body={"external_id": "x"})["external_id"] == "x"
    shed = at.asset("shed", account_id=at.other)
    told = at.refused("PATCH", ONE, shed, body={"external_id": "x"}, caller=at.stranger)
    assert told == (422, wrong)


def test_sensors_of_others_are_as_if_there_were_none(at: Things) -> None:
    price = at.sensor(at.asset("shed", account_id=at.other), "price", unit="EUR/MWh")
    body: dict[str, Any] = {"flex_context": {"consumption-price": {"sensor": price}}}
    wrong = {"flex_context": {"consumption-price": [f"No sensor found with ID {price}."]}}
    assert at.refused("PATCH", ONE, 1, body=body) == (422, {"json": wrong})
    spot = at.sensor(at.asset("market", account_id=None), "spot", unit="EUR/MWh")
    body["flex_context"]["consumption-price"]["sensor"] = spot
    assert at.ask("PATCH", ONE, 1, body=body)["status"] == 200


def test_key_figures_are_of_daily_sensors(at: Things) -> None:
    daily = at.sensor(1, "cost", unit="EUR", event_resolution="P1D")
    power = at.sensor(1, "power")
    figures = [{"title": "Cost", "sensor": daily, "function": "sum"}]
    assert at.ask("PATCH", ONE, 1, body={"sensors_to_show_as_kpis": figures})["status"] == 200
    figures[0]["sensor"] = power
    wrong = {"sensors_to_show_as_kpis": [f"Sensor with ID {power} is not a daily sensor."]}
    assert at.refused("PATCH", ONE, 1, body={"sensors_to_show_as_kpis": figures}) == (
        422, {"json": wrong})  # fmt: skip
