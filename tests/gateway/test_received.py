"""What comes from a central server is kept, told again, and noticed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from flexedge.config.coming import ANYTHING, Coming
from flexedge.domain.series import Series, TimeGrid
from flexedge.gateway.received import Received, origin
from flexedge.store.archive import Asked
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.state import State

NOW = datetime(2026, 4, 14, 12, 7, tzinfo=UTC)
NOON = NOW.replace(minute=0)
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
COMING = {
    name: Coming("main", 3, "degC", HOUR, QUARTER, HOUR, HOUR, ANYTHING) for name in ("sun", "wind")
}
HOURS = TimeGrid(NOON, HOUR, 3)


@pytest.fixture
def beliefs(tmp_path: Path) -> Iterator[Beliefs]:
    made = Beliefs(LocalArchive(tmp_path / "data", NOW), State(tmp_path / "state.db"))
    yield made
    made.close()


def test_what_was_received_is_known_afterwards_also_by_another_run(beliefs: Beliefs) -> None:
    received = Received(COMING, beliefs)
    assert np.isnan(received.known("sun", HOURS).values).all()
    assert received.keep("sun", Series(HOURS, np.array([1.0, np.nan, 3.0])), NOW) == 2
    beliefs.flush()
    quarters = Received(COMING, beliefs).known("sun", TimeGrid(NOON, QUARTER, 12)).values
    assert quarters[:4].tolist() == [1.0] * 4
    assert np.isnan(quarters[4:8]).all()
    assert quarters[8:].tolist() == [3.0] * 4
    held = beliefs.ask(["sun"], Asked((), NOON, NOW + 9 * HOUR))
    source = held.source.tolist()
    assert source == [beliefs.source(origin("main"))] * 2
    assert origin("main").kind == "centre:main"


def test_only_what_is_new_is_kept_and_makes_another_version(beliefs: Beliefs) -> None:
    received = Received(COMING, beliefs)
    told = Series(HOURS, np.array([1.0, 2.0, 3.0]))
    first = received.version("sun"), received.versions
    received.keep("sun", told, NOW)
    second = received.version("sun"), received.versions
    assert first != second
    later = NOW + HOUR  # when the first event is over
    assert received.keep("sun", told, later) == 0
    assert received.keep("sun", Series(HOURS, told.values * (1 + 1e-15)), later) == 0
    assert (received.version("sun"), received.versions) == second
    assert received.keep("sun", Series(HOURS, np.array([1.0, 2.0, 3.5])), later) == 1
    assert received.version("sun") != second[0]
    assert received.version("wind") == first[0]
    assert received.known("sun", HOURS).values.tolist() == [1.0, 2.0, 3.5]


def test_another_word_of_the_same_moment_takes_the_place_of_the_first(beliefs: Beliefs) -> None:
    received = Received(COMING, beliefs)
    received.keep("sun", Series(HOURS, np.array([1.0, 2.0, 3.0])), NOW)
    received.keep("sun", Series(HOURS, np.array([1.0, 2.0, 9.0])), NOW)
    assert received.known("sun", HOURS).values.tolist() == [1.0, 2.0, 9.0]
