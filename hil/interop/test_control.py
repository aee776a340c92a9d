"""What comes from a centre takes effect on site: prices, edits, schedules."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from hil.gateway import Gateway
from hil.interop.centre import EMAIL
from hil.interop.story import HOUR, House, assets_of, parsed, utc_now
from hil.waiting import eventually

pytestmark = pytest.mark.interop
_SOON_S = 240.0


@pytest.fixture(scope="module")
def linked(house: House) -> Iterator[Gateway]:
    """A linked site that lives twenty times as fast, from two hours before now on."""
    begin = utc_now() - 2 * HOUR
    house.market.tell(begin - 24 * HOUR, 96)
    with house.lives("--speed", "20", "--start", str(begin.timestamp())) as gateway:
        house.link("--yes")
        eventually(gateway.api.up, _SOON_S)
        yield gateway


def _plan(gateway: Gateway) -> dict[str, Any]:
    plan: dict[str, Any] = gateway.api.get("/api/v3_0/gateway/plan")
    return plan


def test_a_price_that_changes_at_the_centre_is_planned_with(house: House, linked: Gateway) -> None:
    before = linked.api.status()["import_price"]
    made = datetime.fromisoformat(_plan(linked)["made_at"])
    house.market.tell(linked.api.now(), 48, more=100.0)

    def arrived() -> None:
        now = linked.api.status()["import_price"]
        assert now == pytest.approx(before + 0.1, abs=1e-3) or now > before + 0.09, (before, now)
        plan = _plan(linked)
        assert datetime.fromisoformat(plan["made_at"]) > made
        assert plan["steps"][0]["import_price"] == pytest.approx(now)

    eventually(arrived, _SOON_S)
    print("import price", before, "->", linked.api.status()["import_price"])


def test_an_edit_in_the_admin_pages_is_checked_kept_on_trial_and_planned_with(
    house: House, linked: Gateway
) -> None:
    user, there = house.market.user, assets_of(house.market.user)["battery"]
    model = parsed(user.ask("GET", f"/api/v3_0/assets/{there['id']}")["flex_model"])
    made = datetime.fromisoformat(_plan(linked)["made_at"])
    edited = model | {"soc-min": "2 kWh", "soc-max": "99 kWh"}
    user.ask("PATCH", f"/api/v3_0/assets/{there['id']}", {"flex_model": edited})

    def applied() -> None:
        told = house.edits()
        assert told.keys() >= {"soc-min", "soc-max"}, told
        assert told["soc-min"]["fate"] == "on trial", told
        assert told["soc-max"]["fate"] == "refused", told
        assert datetime.fromisoformat(_plan(linked)["made_at"]) > made

    eventually(applied, _SOON_S)
    print(house.command("sync", "status"))

    def kept() -> None:
        assert house.edits()["soc-min"]["fate"] == "in force", house.edits()

    eventually(kept, _SOON_S)


def test_a_schedule_made_at_the_centre_is_dispatched(linked: Gateway) -> None:
    def told() -> dict[str, Any]:
        points = linked.api.get("/api/v3_0/gateway/setpoints")
        battery: dict[str, Any] = next(one for one in points if one["asset"] == "battery")
        assert "main planned" in battery["reason"], battery
        assert battery["verified"], battery
        return battery

    battery = eventually(told, _SOON_S)
    print("battery:", battery["setpoint_kw"], "kW,", battery["reason"])
    assert _plan(linked)["rung"] == "central-plan"


def test_nothing_was_refused_and_nobody_was_in_the_way(house: House, linked: Gateway) -> None:
    assert linked.api.errors() == 0
    assert house.sync()["refused"] == 0


def test_unlinking_forgets_all_here_and_leaves_all_there(house: House, linked: Gateway) -> None:
    print(house.command("unlink", "--yes"))
    assert linked.api.get("/api/v3_0/gateway/sync")["linked"] is False
    assert "Test bench" in assets_of(house.market.user)
    kept = [path.name for path in (linked.api.data / "centres").glob("*")]
    assert kept == []
    text = (house.folder / "daemon.log").read_text(encoding="utf-8", errors="replace")
    assert "seven grey herons" not in text
    assert EMAIL  # the password alone is secret


def test_after_it_the_house_goes_on_by_itself(linked: Gateway) -> None:
    later = linked.api.now() + timedelta(minutes=10)

    def went_on() -> None:
        assert linked.api.now() > later
        linked.api.obeyed("battery", after=later - timedelta(minutes=10))

    eventually(went_on, _SOON_S)
