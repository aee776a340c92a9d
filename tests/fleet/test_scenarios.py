"""That docs/centre/fleet.md tells what the simulation gives, and what chance is good for."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fleet.scenarios import HEAD, Scenario, row, scenarios, seen_of

DOCS = Path(__file__).parents[2] / "docs/centre/fleet.md"
QUICK = [one for one in scenarios() if one.fleet.jitter and one.until_s <= 1200]


def test_the_docs_have_the_table() -> None:
    table = DOCS.read_text()
    assert HEAD in table
    names = [line.split("|")[1].strip() for line in table.split(HEAD)[1].splitlines()[1:8]]
    assert names == [one.name for one in scenarios()]


@pytest.mark.parametrize("scenario", QUICK, ids=lambda one: one.name)
def test_the_docs_tell_what_the_simulation_gives(scenario: Scenario) -> None:
    assert row(scenario) in DOCS.read_text().splitlines()


def test_chance_spreads_a_fleet_after_an_outage() -> None:
    *_, spread, herd = scenarios(gateways=30)
    worst = []
    for one in (spread, herd):
        requests = seen_of(one).requests
        worst.append(max(requests[second] for second in range(8101, 9300)))
    assert 3 * worst[0] < worst[1]


def test_all_catches_up_and_is_sent_once() -> None:
    *_, spread, _ = scenarios(gateways=10)
    seen = seen_of(replace(spread, until_s=9900))
    assert len(seen.caught_up) == 10
    others = seen_of(replace(spread, server=replace(spread.server, away=None), until_s=9900))
    missed = 7200 / 300  # rounds of 30 sensors, of which one has all the values
    assert sum(others.requests.values()) - sum(seen.requests.values()) > 10 * 30 * (missed - 4)
