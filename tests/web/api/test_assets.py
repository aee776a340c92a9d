import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from flexmeasures_client import FlexMeasuresClient

from flexedge.store.archive import Asked
from flexedge.store.tables.accounts import Account, Plan
from flexedge.store.tables.assets import Asset
from flexedge.web.api import public
from flexedge.web.api.parts import Parts
from tests.web.api.conftest import Serve
from tests.web.api.things import ADMIN, ASSETS, BATTERY, BUILDING, RESOURCES, Things, things

ONE = f"{ASSETS}/{{id}}"
RECORDED = Path(__file__).parents[4] / "shared/golden/client-exchanges.json"
TOLD = {
    "account_id": 1, "attributes": "{}", "child_assets": [], "description": None,
    "external_id": None, "flex_context": '{"site-power-capacity": "17 kVA"}', "flex_model": "{}",
    "generic_asset_type": {"id": 6, "name": "building"}, "generic_asset_type_id": 6, "id": 2,
    "latitude": 52.37, "longitude": 4.89, "name": "client site",
    "owner": {"id": 1, "name": "Home"}, "parent_asset_id": None, "sensors": [],
    "sensors_to_show": "[]", "sensors_to_show_as_kpis": "[]",
}  # fmt: skip
"""What FlexMeasures 1.0.1 answers to a new asset, with this account's name and numbers."""


@pytest.fixture
def at(tmp_path: Path) -> Things:
    return things(tmp_path)


def recorded(label: str, method: str) -> dict[str, Any]:
    """What FlexMeasures 1.0.1 answered, where the recording is there; else what is in here."""
    if not RECORDED.is_file():
        return TOLD
    exchanges = json.loads(RECORDED.read_text(encoding="utf-8"))
    found = next(one for one in exchanges
                 if one["label"] == label and one["request"]["method"] == method)  # fmt: skip
    body: dict[str, Any] = found["response"]["body"]
    return body


def test_a_new_asset_is_told_as_flexmeasures_tells_it(at: Things) -> None:
    told = at.ask("POST", ASSETS, body={
        "name": "client site", "account_id": 1, "latitude": 52.37, "longitude": 4.89,
        "generic_asset_type_id": 6, "flex_context": '{"site-power-capacity": "17 kVA"}',
    })  # fmt: skip
    assert (at.status, told) == (201, TOLD)
    theirs = recorded("add_asset", "POST")
    ours = told | {"id": theirs["id"], "owner": theirs["owner"]}
    assert ours == theirs
    assert list(told) == sorted(told)
    assert at.said(2) == ["Created asset 'client site': 2"]


def test_one_asset_has_its_children_and_sensors_and_a_status(at: Things) -> None:
    site = at.asset("site", generic_asset_type_id=BUILDING)
    below = at.asset("bat", parent_asset_id=site)
    power = at.sensor(site)
    told = at.ask("GET", ONE, site)
    assert told["child_assets"] == [
        {"id": below, "name": "bat", "account_id": 1,
         "generic_asset_type": {"id": BATTERY, "name": "battery"}}
    ]  # fmt: skip
    assert told["sensors"] == [{"id": power, "name": "power"}]
    assert told["status"] == 200
    theirs = recorded("get_asset", "GET")
    assert told.keys() - {"status"} == theirs.keys() - {"status"}


def test_a_child_belongs_to_whom_its_parent_does(at: Things) -> None:
    site = at.asset("site")
    told = at.ask("POST", ASSETS, caller=at.member, body={
        "name": "bat", "generic_asset_type_id": BATTERY, "parent_asset_id": site})  # fmt: skip
    assert (told["account_id"], told["parent_asset_id"]) == (1, site)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"generic_asset_type_id": 99, "account_id": 1}, 422,
         {"json": {"generic_asset_type_id": ["GenericAssetType with id 99 doesn't exist."]}}),
        ({"account_id": 1, "name": "battery"}, 422, {"json": {"name": [
            "An asset with the name 'battery' already exists as a top-level asset in account 1"]}}),
        ({"parent_asset_id": 99}, 422,
         {"json": {"parent_asset_id": ["Parent GenericAsset with id 99 doesn't exist."]}}),
        ({"account_id": 99}, 422, {"json": {"account_id": ["Account with Id 99 doesn't exist."]}}),
        ({"account_id": 2}, 422,
         {"json": {"account_id": ["User is not allowed to create assets for this account."]}}),
        ({}, 403, "Only site admins may create public assets (account_id=None)."),
        ({"account_id": 1, "flex_model": {"no-such": 1}}, 422,
         {"json": {"flex_model": {"no-such": ["Unknown field."]}}}),
        ({"account_id": 1, "sensors_to_show": [9]}, 422,
         {"json": {"sensors_to_show": ["No sensor found with ID 9."]}}),
        ({"account_id": 1, "attributes": None}, 422,
         {"json": {"attributes": ["Field may not be null."]}}),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused(
    at: Things, body: dict[str, Any], status: int, message: Any
) -> None:
    asked = {"name": "new", "generic_asset_type_id": BATTERY} | body
    assert at.refused("POST", ASSETS, body=asked) == (status, message)


def test_a_member_makes_no_assets_at_the_top(at: Things) -> None:
    body = {"name": "new", "generic_asset_type_id": BATTERY, "account_id": 1}
    assert at.refused("POST", ASSETS, body=body, caller=at.member)[0] == 403
    below = body | {"parent_asset_id": 1}
    assert at.refused("POST", ASSETS, body=below, caller=at.stranger)[0] == 403
    assert at.ask("POST", ASSETS, body=below, caller=at.member)["parent_asset_id"] == 1


def test_admins_make_public_assets(at: Things) -> None:
    body = {"name": "market", "generic_asset_type_id": BATTERY}
    told = at.ask("POST", ASSETS, body=body, caller=ADMIN)
    assert (told["account_id"], told["owner"]) == (None, None)
    status, message = at.refused("POST", ASSETS, body=body, caller=ADMIN)
    assert (status, message["json"]["name"]) == (
        422, ["An asset with the name 'market' already exists as a public top-level asset"]
    )  # fmt: skip


def test_a_change_is_kept_and_told_to_the_audit_log(at: Things) -> None:
    site = at.asset("site", attributes={"a": 1, "b": 2}, flex_model={"soc-max": "10 kWh"})
    told = at.ask("PATCH", ONE, site, body={
        "name": "house", "attributes": '{"a": 3}', "external_id": " x-1 ", "latitude": None,
        "flex_model": {"soc-max": "12 kWh", "power-capacity": "5 kW"}})  # fmt: skip
    assert (told["status"], told["external_id"], told["attributes"]) == (200, "x-1", '{"a": 3}')
    shown = at.shown(site)
    assert (shown["name"], shown["flex_model"]["soc-max"]) == ("house", "12 kWh")
    assert at.said(site)[1:] == [
        "Updated: name, From: site, To: house",
        "Updated: external_id, From: None, To: x-1",
        "Updated Attr: a, From: 1, To: 3",
        "Updated Attr: b, From: 2, To: None",
        "Updated flex_model:\n1. Added power-capacity: 5 kW\n2. Changed soc-max: 10 kWh → 12 kWh",
    ]


def test_a_change_to_the_same_says_nothing(at: Things) -> None:
    site = at.asset("site")
    assert at.ask("PATCH", ONE, site, body={"name": "site", "external_id": ""})["status"] == 200
    assert len(at.said(site)) == 1


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "_schema", "No JSON data provided."),
        ({"account_id": 2}, "account_id", "Whose an asset is cannot be changed."),
        ({"name": None}, "name", "Field may not be null."),
        ({"name": "battery"}, "name",
         "An asset with the name 'battery' already exists as a top-level asset in account 1"),
        ({"flex_context": {"consumption-price": {"sensor": 9}}}, "flex_context",
         {"consumption-price": ["No sensor found with ID 9."]}),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_is_refused(
    at: Things, body: dict[str, Any], field: str, message: Any
) -> None:
    site = at.asset("site")
    before = at.shown(site)
    wanted = [message] if isinstance(message, str) else message
    assert at.refused("PATCH", ONE, site, body=body) == (422, {"json": {field: wanted}})
    assert at.shown(site) == before


def test_who_has_seen_something_else_does_not_change_it(at: Things) -> None:
    site = at.asset("site")
    old = {"if-match": 'W/"0123"'}
    assert at.refused("PATCH", ONE, site, body={"name": "x"}, headers=old)[0] == 412
    assert at.ask("PATCH", ONE, site, body={"name": "x"}, headers={"if-match": "*"})["name"] == "x"


def test_an_asset_goes_with_all_below_it_and_what_refers_to_these(at: Things) -> None:
    site, stays = at.asset("site"), at.asset("stays")
    child = at.asset("child", parent_asset_id=site, flex_model={"soc-max": "10 kWh"})
    power = at.sensor(child)
    price = at.sensor(stays, "price", unit="EUR/MWh")
    at.ask("PATCH", ONE, stays, body={
        "flex_context": {"consumption-price": {"sensor": price},
                         "inflexible-consumption": [{"sensor": power}]},
        "sensors_to_show": [
            {"title": "Both", "plots": [{"sensors": [price, power]}]},
            {"title": "Gone", "plots": [{"asset": child, "flex-model": "soc-max"}]}],
    })  # fmt: skip
    at.ask("DELETE", ONE, site)
    assert at.status == 204
    state = at.here.parts.state
    assert (state.assets.get(site), state.assets.get(child), state.placed.get(power)) == (None,) * 3
    left = at.shown(stays)
    assert left["flex_context"] == {"consumption-price": {"sensor": price},
                                    "inflexible-consumption": []}  # fmt: skip
    assert left["sensors_to_show"] == [{"title": "Both", "plots": [{"sensors": [price]}]}]
    assert at.said(site)[-1] == f"Deleted asset 'site': {site}"
    assert at.sensor(stays, "later") > power


def test_what_the_site_file_defines_is_not_deleted(at: Things) -> None:
    state = at.here.parts.state
    site = state.assets.add(Asset("Villa", "building", account_id=1, defined_as=""))
    mine = at.asset("mine", parent_asset_id=site)
    state.assets.add(Asset("bat", "battery", parent_id=mine, account_id=1, defined_as="battery"))
    for number, name in ((site, "Villa"), (mine, "bat")):
        status, message = at.refused("DELETE", ONE, number)
        assert status == 403
        assert message.startswith(f"The asset '{name}' is defined in the site file")
    assert at.refused("PATCH", ONE, site, body={"name": "House"})[0] == 403
    assert at.ask("PATCH", ONE, site, body={"description": "Ours"})["description"] == "Ours"


def test_a_plan_says_how_many_assets_there_may_be(at: Things) -> None:
    state = at.here.parts.state
    plan = state.plans.add(Plan("small", max_assets=2))
    state.accounts.change(1, Account("Home", plan_id=plan))
    number = at.asset("second")
    body = {"name": "third", "generic_asset_type_id": BATTERY, "account_id": 1}
    for refused in (at.refused("POST", ASSETS, body=body),
                    at.refused("POST", f"{ASSETS}/{{id}}/copy", number)):  # fmt: skip
        assert refused == (403, "Plan 'small' of account 'Home' allows 2 assets; there are 2.")


def test_the_types_of_assets_are_told(at: Things) -> None:
    told = at.ask("GET", f"{ASSETS}/types")
    assert told[4] == {"id": 5, "name": "battery", "description": "stationary battery"}
    assert [one["id"] for one in told] == list(range(1, len(told) + 1))


def test_data_of_a_deleted_asset_go(at: Things) -> None:
    site = at.asset("site")
    key = at.filled(at.sensor(site))
    beliefs = at.here.parts.beliefs
    assert [one.count for one in beliefs.statistics((key,), Asked(()))] == [4]
    at.ask("DELETE", ONE, site)
    assert not beliefs.statistics((key,), Asked(()))


async def asked_by_their_client(url: str) -> None:
    client = FlexMeasuresClient(
        host=url.partition("://")[2], email="a@example.com", password="none",  # noqa: S106 (of nobody)
        access_token="admin",  # noqa: S106 (a name)
    )  # fmt: skip
    types = {one["name"]: one["id"] for one in await client.get_asset_types()}
    site = await client.add_asset(
        name="site", account_id=2, latitude=52.37, longitude=4.89,
        generic_asset_type_id=types["building"], flex_context={"site-power-capacity": "17 kVA"},
    )  # fmt: skip
    price = await client.add_sensor(
        name="price", event_resolution="PT1H", unit="EUR/MWh", generic_asset_id=site["id"],
        timezone="Europe/Amsterdam", attributes={"note": 1},
    )  # fmt: skip
    context = {"consumption-price": {"sensor": price["id"]}}
    await client.update_asset(
        site["id"], updates={"flex_context": dict(context)}, parse_json_fields=True
    )
    assert (await client.get_asset(site["id"], parse_json_fields=True))["flex_context"] == context
    renamed = await client.update_sensor(
        price["id"], updates={"name": "tariff"}, parse_json_fields=True
    )
    assert (renamed["name"], renamed["status"]) == ("tariff", 200)
    listed = await client.get_assets(parse_json_fields=True)
    assert [one["sensors"] for one in listed] == [[{"id": price["id"], "name": "tariff"}]]
    sensors = await client.get_sensors(asset_id=site["id"], parse_json_fields=True)
    assert [one["attributes"] for one in sensors] == [{"note": 1}]
    await client.delete_sensor(price["id"], confirm_first=False)
    left = await client.get_asset(site["id"], parse_json_fields=True)
    assert left["flex_context"] == {}
    await client.delete_asset(site["id"], confirm_first=False)
    assert await client.get_assets(parse_json_fields=True) == []
    await client.close()


def test_flexmeasures_own_client_has_its_way(serve: Serve, parts: Parts) -> None:
    ops = tuple(op for one in RESOURCES for op in one.operations(parts))
    served = serve(*public.operations(parts, ops), *ops)
    asyncio.run(asked_by_their_client(served.url))


def test_a_change_is_made_by_who_has_seen_what_is(serve: Serve, parts: Parts) -> None:
    served = serve(*(op for one in RESOURCES for op in one.operations(parts)))
    new = {"name": "site", "account_id": 1, "generic_asset_type_id": 6}
    path = f"{ASSETS}/{served.ask('POST', ASSETS, 'admin', json=new).json()['id']}"
    tag = served.ask("GET", path).headers["ETag"]
    for status in (200, 412):
        changed = served.ask("PATCH", path, json={"description": "x"}, headers={"If-Match": tag})
        assert changed.status_code == status
    assert served.ask("GET", path, headers={"If-None-Match": tag}).status_code == 200
    wrong = served.ask("PATCH", path, json={"no_such": 1, "latitude": 99})
    assert (wrong.status_code, wrong.json()["message"]) == (422, {"json": {
        "no_such": ["Unknown field."],
        "latitude": ["Latitude 99.0 exceeds the maximum latitude of 90 degrees."]}})  # fmt: skip
    assert served.ask("DELETE", path, "stranger").status_code == 403
    deleted = served.ask("DELETE", path, "admin")
    assert (deleted.status_code, deleted.content) == (204, b"")
