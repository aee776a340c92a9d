from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.errors import RequestError
from flexedge.gateway.asked import Action, Override, controlled, demand_time, power_of
from flexedge.gateway.health import Health

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut

NOW = datetime(2026, 4, 14, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def refused(error: pytest.ExceptionInfo[RequestError]) -> tuple[int, str]:
    return error.value.status, error.value.message


@pytest.mark.parametrize("until", [NOW, NOW - DAY, NOW + DAY + timedelta(seconds=1)])
def test_an_end_is_ahead_but_not_far(until: datetime) -> None:
    with pytest.raises(RequestError) as error:
        demand_time(Health(), until, NOW, DAY)
    assert refused(error)[0] == 422
    assert "at most 24 h" in refused(error)[1]
    demand_time(Health(), NOW + DAY, NOW, DAY)


def test_without_a_clock_nothing_can_have_an_end() -> None:
    with pytest.raises(RequestError) as error:
        demand_time(Health(time_known=False), NOW + DAY, NOW, DAY)
    assert refused(error)[0] == 409


def test_only_what_can_be_controlled_can_be_asked_for_something(hut: "Hut") -> None:
    plant = hut("battery", "car", "house", more={"car": "control: false"}).gateway.plant
    assert controlled(plant, "battery").name == "battery"
    for name, status, words in (
        ("batery", 422, "those that can be controlled are battery"),
        ("hybrid", 422, "it is a device, name its asset: battery"),
        ("house", 409, "no device belongs to it"),
        ("car", 409, "the site file says control: false"),
    ):
        with pytest.raises(RequestError) as error:
            controlled(plant, name)
        assert refused(error)[0] == status
        assert words in refused(error)[1]


@pytest.mark.parametrize(
    ("asset", "action", "power", "told"),
    [
        ("battery", "charge", 2.0, 2.0),
        ("battery", "discharge", 5.0, -5.0),
        ("battery", "idle", None, None),
        ("solar", "produce", 3.0, -3.0),
        ("car", "consume", 4.2, 4.2),
    ],
)
def test_words_say_which_way_power_flows(
    hut: "Hut", asset: str, action: Action, power: float | None, told: float | None
) -> None:
    world = hut("battery", "solar", "car")
    assert power_of(world.unit(asset), action, power) == told


@pytest.mark.parametrize(
    ("asset", "action", "power", "words"),
    [
        ("battery", "charge", 5.1, "at most 5 kW, not with 5.1 kW"),
        ("battery", "charge", 2000.0, "at most 5 kW"),
        ("battery", "charge", None, "power should be above zero"),
        ("battery", "charge", 0.0, "power should be above zero"),
        ("battery", "charge", -2.0, "power should be above zero"),
        ("battery", "charge", float("nan"), "power should be above zero"),
        ("battery", "idle", 2.0, "power has no meaning with idle"),
        ("solar", "consume", 1.0, "solar can consume not at all"),
        ("car", "discharge", 1.0, "car can discharge not at all"),
        ("car", "charge", 1.0, "at least 4.14 kW"),
    ],
)
def test_what_an_asset_can_never_do_is_refused(
    hut: "Hut", asset: str, action: Action, power: float | None, words: str
) -> None:
    world = hut("battery", "solar", "car")
    with pytest.raises(RequestError) as error:
        power_of(world.unit(asset), action, power)
    assert refused(error)[0] == 422
    assert words in refused(error)[1]


def test_an_override_says_who_wants_what_until_when() -> None:
    override = Override(
        number=1, asset="battery", action="discharge", power_kw=-2.0, since=NOW,
        until=NOW + DAY, who="anna", why="a party",
    )  # fmt: skip
    told = override.sentence(UTC)
    assert told == "override by anna: discharge with 2 kW until 15 Apr 10:00 (a party)"
