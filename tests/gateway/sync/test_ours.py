from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flexedge.config.centre import SCOPES, CentreRules, Received, Report, Scope
from flexedge.domain.asset import Sensor
from flexedge.gateway.sync.ours import (
    GATEWAY,
    Kinds,
    Ours,
    gateway_id,
    in_scope,
    ours,
    site_account,
)
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from tests.web.api.calls import platform

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut

RULES = CentreRules()
MINUTES_15 = timedelta(minutes=15)


def found(
    state: State, rules: CentreRules = RULES, scopes: Collection[Scope] = SCOPES,
    kinds: Kinds | None = None, received: Collection[int] = (),
) -> dict[str, tuple[str, ...]]:  # fmt: skip
    """Roles by key."""
    mine = ours(state, rules, scopes, kinds or {}, received)
    return {one.placed.key: one.roles for asset in mine.assets for one in asset.sensors}


def all_of(mine: Ours) -> list[tuple[str, str]]:
    return [(one.path, one.external_id.partition("/")[2]) for one in mine.assets]


def test_the_site_and_what_is_below_it_is_in_step(hut: "Hut") -> None:
    state = hut.home().gateway.state
    state.assets.add(Asset("Elsewhere", "building", account_id=1))
    battery = next(n for n, one in state.assets.all().items() if one.name == "battery")
    cell = state.assets.add(Asset("cell", "battery", battery, 1))
    mine = ours(state, RULES, SCOPES, {})
    assert mine.gateway == state.fact(GATEWAY) == gateway_id(state)
    assert len(mine.gateway) == 36
    assert all_of(mine) == [
        ("Home", "site"), ("Home / battery", "battery"), ("Home / solar", "solar"),
        ("Home / car", "car"), ("Home / heating", "heating"), ("Home / house", "house"),
        ("Home / battery / cell", str(cell)),
    ]  # fmt: skip


def test_without_a_site_it_is_the_first_account(tmp_path: Path) -> None:
    here = platform(tmp_path)
    state = here.parts.state
    other = state.assets.add(Asset("other", "building", account_id=2))
    below = state.assets.add(Asset("below", "building", here.asset, 1))
    assert in_scope(state.assets.all()) == [here.asset, below]
    assert other not in in_scope(state.assets.all())


def test_roles_are_what_is_agreed_on_and_believed(tmp_path: Path) -> None:
    here = platform(tmp_path)
    state, power, soc = here.parts.state, here.sensor("power"), here.sensor("soc", "%")
    sent = here.sensor("x.dispatched")
    kinds = {power: frozenset({"forecaster", "scheduler"}), soc: frozenset({"scheduler", "user"})}
    keys = [state.sensors()[one].name for one in (power, soc, sent)]
    assert list(found(state, kinds=kinds).items()) == list(
        zip(keys, [("", "forecast", "schedule"), ("", "schedule"), ("",)], strict=True)
    )
    only: tuple[Scope, ...] = ("readings", "forecasts")
    assert list(found(state, scopes=only, kinds=kinds).values()) == [("", "forecast"), ("",), ()]
    rules = CentreRules(scopes=("schedules", "outcomes"))
    assert list(found(state, rules, only, kinds).values()) == [(), (), ()]
    assert list(found(state, rules, kinds=kinds).values()) == [("schedule",), ("schedule",), ("",)]


def test_what_came_from_the_centre_does_not_go_back(tmp_path: Path) -> None:
    here = platform(tmp_path)
    state, power, key = here.parts.state, here.sensor("power"), "weather.rain"
    rain = here.parts.beliefs.register(Sensor(key, "mm", MINUTES_15))
    state.placed.place(rain, here.asset, "rain", "Europe/Amsterdam", {})
    rules = CentreRules(receive={key: Received(sensor=3, unit="mm")})
    assert key in found(state)
    assert key not in found(state, rules)
    assert list(found(state, received={power})) == [key]


def test_what_cannot_be_sent_says_why(tmp_path: Path) -> None:
    here = platform(tmp_path)
    state = here.parts.state
    numbers = here.sensor("power"), here.sensor("odd", "furlongs"), here.sensor("kept")
    power, odd, kept = (state.sensors()[one].name for one in numbers)
    rules = CentreRules(
        sensors={
            kept: Report(send=False), power: Report(resolution=timedelta(minutes=40)),
        }
    )  # fmt: skip
    (asset,) = ours(state, rules, SCOPES, {}).assets
    told = {one.placed.key: (one.roles, one.resolution, one.notes) for one in asset.sensors}
    assert told == {
        power: (("",), MINUTES_15, ("0:40:00 is no multiple of its resolution, which is 0:15:00",)),
        odd: ((), MINUTES_15, ("'furlongs' is no unit that a centre knows",)),
        kept: ((), MINUTES_15, ("the site file says not to send it",)),
    }  # fmt: skip


@pytest.mark.parametrize(("step", "told"), [(MINUTES_15, 60), (timedelta(0), 0)])
def test_resolutions_are_those_of_the_rules_but_for_instants(
    tmp_path: Path, step: timedelta, told: int
) -> None:
    here = platform(tmp_path)
    here.sensor("power", resolution=step)
    rules = CentreRules(
        report=Report(
            resolution=timedelta(hours=1), strategy="on-change", heartbeat=timedelta(hours=2)
        )
    )
    (asset,) = ours(here.parts.state, rules, SCOPES, {}).assets
    (sensor,) = asset.sensors
    assert sensor.resolution == timedelta(minutes=told)
    assert sensor.every == timedelta(hours=2)


def test_what_is_done_with_centres_is_told_in_the_account_of_the_site(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    assert site_account(state) == 1
    for name in ("Other", "Home"):
        state.accounts.add(Account(name))
    state.assets.add(Asset("Public", "building", defined_as=None))
    state.assets.add(Asset("Home", "building", None, 2, ""))
    assert site_account(state) == 2
    state.close()
