"""What stays away is lost until it is back: simulated time runs, so that minutes may pass."""

from datetime import timedelta

import pytest

from hil.conftest import Benches
from hil.programs import Do
from hil.waiting import eventually

EVENING = "1776189600"  # 14 April 2026, 20:00 in Amsterdam: the car is at home
NOTICED_S = 120
"""The charger only speaks: it is missed when it has not for a minute, and lost half a minute on."""


@pytest.mark.parametrize(
    ("what", "do", "lost"),
    [
        ("all", "stop", {"battery", "solar", "meter", "heating", "charger"}),
        ("charger", "stop", {"charger"}),
        ("charger", "silence", {"charger"}),
    ],
)
def test_what_stays_away_is_lost_until_it_is_back(
    benches: Benches, what: str, do: Do, lost: set[str]
) -> None:
    bench = benches("--speed", "60", "--start", EVENING)
    site, api = bench.site, bench.gateway.api
    bench.gateway.start_up()
    site.tell(what, do)
    api.wait(NOTICED_S)
    end = api.now() + timedelta(seconds=30)
    while api.now() < end:  # and it stays so: no hopeful moments in between
        states = api.states()
        assert {device for device, state in states.items() if state == "lost"} == lost, states
    assert bench.gateway.program.alive

    site.heal()
    healed = api.now()
    eventually(api.all_well, within_s=30)
    eventually(lambda: api.obeyed("battery", after=healed), within_s=30)
    assert api.errors() == 0
