"""The real composition, on a machine whose clocks and kernel are played."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flexedge.config.check import load_site
from flexedge.config.settings import Settings
from flexedge.daemon.clock import WallClock
from flexedge.daemon.compose import Composed, compose
from flexedge.daemon.timekeeping import Timekeeping
from flexedge.daemon.trust import MADE, Facts
from flexedge.domain.belief import Reading
from flexedge.domain.series import TimeGrid, floor

HOME = Path(__file__).parents[2] / "config" / "home.yaml"
S = 1_000_000
RIGHT = int(MADE.timestamp()) * S + 400 * 86_400 * S


class Machine:
    def __init__(self) -> None:
        self.up, self.utc = 100 * S, 50 * S
        self.facts = Facts("boot", synchronised=False, rtc_us=None, virtual=False)

    def clocks(self) -> tuple[int, int]:
        return self.up, self.utc

    def passes(self, seconds: int) -> None:
        self.up += seconds * S
        self.utc += seconds * S

    def synchronise(self, utc: int) -> None:
        self.utc = utc
        self.facts = replace(self.facts, synchronised=True)


class Run:
    """One run of the daemon's parts on a folder."""

    def __init__(self, folder: Path, machine: Machine, stack: ExitStack) -> None:
        self.clock = WallClock(machine.clocks)
        settings = Settings(data_dir=folder)
        self.composed: Composed = compose(settings, load_site(HOME), self.clock, stack)
        self.gateway = self.composed.gateway
        self.health = self.gateway.health
        self.keeping = Timekeeping(
            self.clock, lambda: machine.facts, self.gateway.state, self.health, always=False
        )
        self.keeping.on_trust = self.gateway.beliefs.restamp
        self.steps: list[str] = []
        self.keeping.on_step = lambda: self.steps.append("step")
        self.look()

    def look(self) -> None:
        self.keeping.step(self.clock.now())

    def read(self, value: float) -> None:
        self.gateway.beliefs.append([Reading("grid.power", self.clock.now(), value)])
        self.gateway.collector.flush(self.clock.now())

    def seen(self) -> list[float]:
        now = floor(self.clock.now(), timedelta(minutes=15))
        grid = TimeGrid(now - timedelta(hours=1), timedelta(minutes=15), 8)
        values = self.gateway.beliefs.mean("grid.power", grid).values
        return [float(value) for value in values if value == value]  # noqa: PLR0124 (not NaN)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_a_clock_that_is_late_to_be_right(tmp_path: Path) -> None:
    machine = Machine()
    with ExitStack() as first:
        run = Run(tmp_path, machine, first)
        assert run.health.alarms["clock"].startswith("clock is not trusted: it says 1970-01-01")
        run.gateway.planner.step(run.clock.now(), timedelta(hours=36), timedelta(seconds=5))
        assert run.gateway.planner.in_force(run.clock.now()) == ("local-rule", None)
        assert run.gateway.planner.trouble == "the clock is not trusted"
        run.read(3.0)
        assert run.seen() == []
        machine.passes(60)
        machine.synchronise(RIGHT)
        before = run.clock.now()
        run.look()
        assert run.steps == ["step"]
        assert run.clock.now() == before  # this run's time does not jump
    with ExitStack() as second:
        run = Run(tmp_path, machine, second)
        assert "clock" not in run.health.alarms
        assert run.health.time_known
        assert run.seen() == [3.0]
        run.look()
        assert run.seen() == [3.0]
        assert run.steps == []


@pytest.mark.parametrize("by_s", [3600, -30 * 86_400, 365 * 86_400])
def test_steps_of_a_trusted_clock(tmp_path: Path, stack: ExitStack, by_s: int) -> None:
    machine = Machine()
    machine.synchronise(RIGHT)
    run = Run(tmp_path, machine, stack)
    machine.facts = replace(machine.facts, synchronised=False)
    machine.passes(5)
    before = run.clock.now()
    machine.utc += by_s * S
    run.look()
    assert "keeps its own time" in run.health.alarms["clock"]
    assert run.clock.now() == before
    assert run.steps == []
    assert run.health.time_known
    machine.facts = replace(machine.facts, synchronised=True)
    run.look()
    assert run.steps == ["step"]
    assert run.clock.now() == before


def test_a_small_step_is_followed_slowly(tmp_path: Path, stack: ExitStack) -> None:
    machine = Machine()
    machine.synchronise(RIGHT)
    run = Run(tmp_path, machine, stack)
    machine.utc -= 10 * S
    before = run.clock.now()
    run.look()
    machine.passes(20)
    assert run.clock.now() - before == timedelta(seconds=19)
    assert run.steps == []
