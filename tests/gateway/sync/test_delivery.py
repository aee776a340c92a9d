"""One portion on its way; the rest of it is in ``test_upload.py``, against a server."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.domain.runs import Run
from flexedge.errors import CentreRefused
from flexedge.gateway.sync.delivery import Delivery, Tally, about_values, size
from flexedge.gateway.sync.sizes import Sizes
from flexedge.store.state import State
from flexedge.store.tables.centres import Link

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
