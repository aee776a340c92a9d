import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from flexedge.config.settings import Settings
from flexedge.daemon.clock import WallClock
from flexedge.daemon.compose import open_store
from flexedge.daemon.house import keep_house
from flexedge.daemon.jobs import Jobs
from flexedge.gateway.health import Health


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("known", [True, False])
def test_a_snapshot_is_taken_at_once_if_the_time_is_known(
    tmp_path: Path, stack: ExitStack, *, known: bool
) -> None:
    clock, health = WallClock(), Health()
    settings = Settings(data_dir=tmp_path)
    beliefs, state = open_store(settings, health, clock.now(), stack)
    state.remember("a", "1")
    health.time_known = known
    jobs = Jobs(clock)
    keep_house(jobs, settings, health, beliefs, state)
    never, rounds = threading.Event(), 0
    with jobs:
        while not list((tmp_path / "backup").glob("state-*.db")) and rounds < (
            400 if known else 20
        ):
            never.wait(0.05)
            rounds += 1
    assert bool(list((tmp_path / "backup").glob("state-*.db"))) is known
