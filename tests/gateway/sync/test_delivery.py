"""One portion on its way; the rest of it is in ``test_upload.py``, against a server."""

from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from flexedge.config.centre import CentreRules
from flexedge.domain.asset import Sensor
from flexedge.domain.runs import Run
from flexedge.errors import CentreRefused
from flexedge.gateway.sync.delivery import Delivery, Tally, about_values, size
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.sizes import Sizes
from flexedge.gateway.sync.unwanted import rejected
from flexedge.store.state import State
from flexedge.store.tables.centres import Centre, Link
from tests.cloud.faulty import Faulty, answer, says
from tests.cloud.parts import central

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIVE = timedelta(minutes=5)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


def run(n: int) -> Run:
    return Run(NOW, FIVE, tuple(float(k) for k in range(n)), "kW", prior=NOW)


def test_runs_go_in_order_and_in_pieces(state: State) -> None:
    going = Delivery(state, (1, Link(1, "sensor", 1, 1)), deque([run(5)]), Sizes(2, 2), Tally())
    piece = going.next()
    assert piece is not None
    assert piece.values == (0.0, 1.0)
    going.sizes.too_large()
    piece = going.next()
    assert piece is not None
    assert piece.values == (0.0,)


@pytest.mark.parametrize(
    ("status", "code", "about"),
    [(422, "", True), (400, "", True), (403, "INVALID_REPLACEMENT", True),
     (403, "FORBIDDEN", False), (404, "", False), (409, "", False)],
)  # fmt: skip
def test_a_refusal_is_about_values_or_about_the_sensor(
    status: int, code: str, *, about: bool
) -> None:
    assert about_values(CentreRefused("main", status, code, "no")) is about


def test_the_size_of_a_request_is_that_of_its_values() -> None:
    assert size(run(1000)) - size(run(1)) == pytest.approx(5895, abs=50)


@pytest.mark.parametrize(
    ("server", "lasting_s", "asked"),
    [("FlexMeasures", 0.0, NOW - FIVE), ("FlexMeasures", 300.0, NOW), ("flexedge", 0.0, NOW)],
)
@pytest.mark.parametrize(("held", "kept"), [(7.5, True), (8.0, False)])
def test_what_a_centre_will_not_replace_is_no_loss_where_it_has_just_that(
    state: State, server: str, lasting_s: float, asked: datetime, held: float, *, kept: bool
) -> None:
    """Of FlexMeasures' instants it is asked for what was believed when they are kept as."""
    one = Run(NOW, FIVE, (7.5,), "kWh", prior=NOW)
    sensor = state.sensor_id(Sensor("tank.soc", "kWh"))
    told = Centre("main", "http://x", 1, "Ours", "anna@example.org", NOW, [], {"server": server})
    number = state.centres.add(told)
    link = Link(number, "sensor", sensor, 63, "schedule", details={"resolution": lasting_s})
    place = state.links.add(link)
    refusal = says(answer(403, {"status": "INVALID_REPLACEMENT", "message": "no"}))
    has = says(answer(200, {"values": [held], "start": NOW.isoformat(), "duration": "PT5M",
                            "unit": "kWh"}))  # fmt: skip
    with Faulty([refusal, has]) as there, closing(central(there.url)) as asks:
        going = Delivery(state, (place, link), deque([one]), Sizes(5, 5), Tally())
        linked = Linked(number, replace(told, url=there.url), CentreRules(), asks)
        assert not going.step(linked, NOW)
    assert going.next() is None
    assert (going.tally.known, going.tally.refused) == ((1, 0) if kept else (0, 1))
    assert len(rejected(state)) == (not kept)
    query = parse_qs(urlsplit(there.got[1].path).query)
    assert datetime.fromisoformat(query["prior"][0]) == asked
