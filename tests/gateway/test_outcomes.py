"""What devices took of what they were told, as readings."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.domain.belief import Quality, Reading
from flexedge.domain.schedule import Applied, Clamped, Outcome, Refused, Released, Unreachable
from flexedge.gateway.held import Held
from flexedge.gateway.outcomes import WINDOW, Outcomes, applied_kw

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FREE = Released("nothing to do")


def readings(outcomes: Sequence[Outcome], step: timedelta = SECOND) -> list[Reading]:
    """What comes of one outcome after another."""
    kept: list[Reading] = []
    ours = Outcomes(kept.extend)
    for i, outcome in enumerate(outcomes):
        ours.note({"battery": Held(outcome=outcome)}, NOW + i * step)
    return kept


@pytest.mark.parametrize(
    ("outcome", "power"),
    [
        (Applied(2.0), 2.0), (Clamped(-1.0, -3.0, ("installer",)), -1.0), (FREE, None),
        (Refused("no"), None), (Unreachable("no answer"), None),
    ],
)  # fmt: skip
def test_only_what_a_device_took_counts(outcome: Outcome, power: float | None) -> None:
    assert applied_kw(outcome) == power


def test_a_reading_is_the_mean_of_twenty_seconds() -> None:
    told = [Applied(1.0)] * 15 + [Applied(-3.0)] * 5 + [Applied(2.0)] * 21
    first, second = readings(told)
    assert (first.sensor, first.event_start) == ("battery.dispatched", NOW)
    assert second == Reading("battery.dispatched", NOW + WINDOW, 2.0, Quality.DERIVED)
    assert first.value == pytest.approx(0.0)


def test_of_an_asset_left_to_itself_there_is_nothing() -> None:
    assert readings([FREE] * 41) == []
    mostly = readings([Applied(3.0)] * 12 + [FREE] * 30)
    assert [one.value for one in mostly] == [pytest.approx(3.0)]
    assert readings([Applied(3.0)] * 8 + [FREE] * 30) == []


def test_over_a_gap_nobody_knows() -> None:
    assert readings([Applied(3.0)] * 4, timedelta(seconds=15)) == []
    assert readings([Applied(3.0)] * 40, -SECOND) == []


def test_a_gateway_notes_what_its_battery_took(hut: "Hut") -> None:
    world = hut("battery", "house")
    world.show({"battery.power": 0.0, "battery.soc": 50.0, "grid.power": 1.0})
    world.plan()
    world.ticks(45)
    setpoint = world.setpoint("battery")
    assert setpoint is not None
    noted = world.gateway.latest.get("battery.dispatched")
    assert noted is not None
    assert noted.value == pytest.approx(setpoint)
    world.gateway.beliefs.flush()
    start = noted.event_start - timedelta(minutes=5)
    held = world.gateway.beliefs.between("battery.dispatched", start, world.now)
    assert [one.value for one in held][-1] == pytest.approx(setpoint)
