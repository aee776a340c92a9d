from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.centres import Centre, Link, Unwanted

NOW = datetime(2026, 11, 26, 1, tzinfo=UTC)
MAIN = Centre("main", "https://ems.example.org", 3, "site", "a@example.org", NOW, ["readings"])


def test_a_centre_its_links_and_what_it_refused_are_kept(state: State) -> None:
    centre = state.centres.add(MAIN)
    link = Link(centre, "sensor", 5, 17, "forecast", made=True, details={"unit": "kW"})
    number = state.links.add(link)
    refused = Unwanted(centre, number, NOW, 422, "INVALID_UNIT", "no", {"values": [0.1, None]})
    kept = state.unwanted.add(refused)
    assert state.centres.all() == {centre: MAIN}
    assert state.links.find(centre_id=centre, role="forecast") == {number: link}
    assert state.unwanted.get(kept) == refused
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.links.add(replace(link, central_id=18))
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.centres.add(MAIN)


def test_with_a_centre_all_of_it_goes_and_its_number_does_not_come_again(state: State) -> None:
    centre = state.centres.add(MAIN)
    number = state.links.add(Link(centre, "asset", 1, 2))
    state.unwanted.add(Unwanted(centre, number, NOW, 404, "", "gone", {}))
    assert (len(state.links.all()), len(state.unwanted.all())) == (1, 1)  # kept in memory now
    assert state.centres.remove(centre)
    assert (state.links.all(), state.unwanted.all()) == ({}, {})
    assert state.centres.add(MAIN) > centre
