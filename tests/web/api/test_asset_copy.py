from pathlib import Path

import pytest

from flexedge.errors import RequestError
from tests.web.api.things import ADMIN, ASSETS, Things, things

COPY = f"{ASSETS}/{{id}}/copy"


@pytest.fixture
def at(tmp_path: Path) -> Things:
    """A site (2) with a child (3), and a sensor on each."""
    found = things(tmp_path)
    site = found.asset("site", external_id="s-1", attributes={"a": 1})
    child = found.asset("child", parent_asset_id=site, flex_model={"soc-max": "10 kWh"})
    price = found.sensor(site, "price", unit="EUR/MWh", event_resolution="PT1H")
    power = found.sensor(child, "power", attributes={"note": 1})
    elsewhere = found.sensor(1, "load")
    found.ask("PATCH", f"{ASSETS}/{{id}}", site, body={
        "flex_context": {"consumption-price": {"sensor": price},
                         "inflexible-consumption": [{"sensor": elsewhere}]},
        "sensors_to_show": [{"title": "All", "y-axis": [0, 1], "plots": [
            {"sensors": [price, power]}, {"asset": child, "flex-model": "soc-max"}]}],
    })  # fmt: skip
    return found


def test_a_copy_has_all_below_it_and_refers_to_itself(at: Things) -> None:
    told = at.ask("POST", COPY, 2)
    assert (at.status, told) == (201, {
        "message": "Successfully copied asset 2.", "asset": 4, "status": 201})  # fmt: skip
    site = at.shown(4)
    child = site["child_assets"][0]["id"]
    assert (site["name"], site["external_id"], site["attributes"]) == ("site (Copy)", None,
                                                                       {"a": 1})  # fmt: skip
    price, power = site["sensors"][0]["id"], at.shown(child)["sensors"][0]["id"]
    assert price > 3 < power
    assert site["flex_context"] == {"consumption-price": {"sensor": price},
                                    "inflexible-consumption": [{"sensor": 3}]}  # fmt: skip
    assert site["sensors_to_show"] == [{"title": "All", "y-axis": [0, 1], "plots": [
        {"sensors": [price, power]}, {"asset": child, "flex-model": "soc-max"}]}]  # fmt: skip
    placed = at.here.parts.state.placed.get(power)
    assert placed is not None
    assert (placed.key, placed.attributes) == (f"{child}/power", {"note": 1})
    assert at.said(4) == ["Copied asset 'site': 2 to 'site (Copy)': 4"]


def test_copies_of_the_same_have_other_names(at: Things) -> None:
    numbers = [at.ask("POST", COPY, 2)["asset"] for _ in range(3)]
    assert [at.shown(one)["name"] for one in numbers] == [
        "site (Copy)", "site (Copy 2)", "site (Copy 3)"]  # fmt: skip


def test_a_copy_for_others_refers_to_nothing_of_ours(at: Things) -> None:
    told = at.ask("POST", COPY, 2, query={"account": "2"}, caller=ADMIN)
    assert told["message"] == "Successfully copied asset 2 to account 2."
    site = at.shown(told["asset"])
    assert (site["account_id"], site["parent_asset_id"]) == (2, None)
    assert site["flex_context"]["inflexible-consumption"] == []
    assert site["flex_context"]["consumption-price"] != {"sensor": 1}
    assert at.shown(site["child_assets"][0]["id"])["account_id"] == 2


def test_a_copy_can_go_below_another_asset(at: Things) -> None:
    told = at.ask("POST", COPY, 3, query={"parent": "1"}, caller=at.member)
    assert told["message"] == "Successfully copied asset 3 to parent asset 1."
    assert at.shown(told["asset"])["parent_asset_id"] == 1
    both = at.ask("POST", COPY, 3, query={"parent": "1", "account": "2"}, caller=ADMIN)
    assert both["message"] == "Successfully copied asset 3 to account 2 under parent 1."
    assert at.shown(both["asset"])["owner"] == {"id": 2, "name": "Neighbours"}


def test_what_cannot_be_copied_is_refused(at: Things) -> None:
    assert at.refused("POST", COPY, 2, query={"parent": "3"}) == (
        422, "Invalid copy target parent: cannot copy an asset to itself or any of its descendants."
    )  # fmt: skip
    assert at.refused("POST", COPY, 2, caller=at.member)[0] == 403
    assert at.refused("POST", COPY, 2, query={"account": "2"})[0] == 403
    assert at.refused("POST", COPY, 2, query={"parent": "99"}) == (
        422, {"query": {"parent": ["No asset found with ID 99."]}})  # fmt: skip
    with pytest.raises(RequestError, match="Account 99 not found"):
        at.ask("POST", COPY, 2, query={"account": "99"})
    public = at.asset("market", account_id=None)
    assert at.refused("POST", COPY, public)[0] == 403
    assert at.ask("POST", COPY, public, caller=ADMIN)["status"] == 201
