"""Does what a plan says to a data folder, and acknowledges each step outside of it.

``python -m tests.torture.work FOLDER ACKS --seed 1 --steps 3000 --minutes 1``
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from flexedge.config.settings import Settings, Store
from flexedge.daemon.compose import open_store
from flexedge.domain.belief import Belief, Reading
from flexedge.domain.series import Series, TimeGrid
from flexedge.gateway.health import Health
from flexedge.store import placing
from flexedge.store import rows as rows_kept
from flexedge.store.beliefs import Beliefs
from flexedge.store.local import archive, compact, durable, partition
from flexedge.store.local.archive import LocalArchive
from flexedge.store.rows import moment
from flexedge.store.snapshots import STATE, Snapshots
from flexedge.store.state import State
from flexedge.store.tables.cursors import Cursor, destination
from flexedge.store.tables.migrate import migrate
from tests.torture.plan import (
    AT_ONCE,
    KEEP,
    RIGHT,
    SENSORS,
    SOURCES,
    WRONG,
    Kind,
    Plan,
    Step,
    forecast_of,
    readings_of,
)

_OLDEST = "0001"
CONFIG = "site.saved"
CENTRE = destination(1, "measurement")
_FANS: dict[partition.Kind, tuple[int, ...]] = {
    "readings": (4,), "beliefs": (4, 3), "minutes": (4, 3), "hours": (4, 3),
}  # fmt: skip


class House:
    """A data folder in use, opened as the daemon opens it."""

    def __init__(self, folder: Path, now: datetime) -> None:
        archive._MANY, compact._FANS = (
            AT_ONCE,
            _FANS,
        )  # much in little time
        self.folder = folder
        self.open = True
        self.alarms_at_end: list[str] = []
        self.health = Health()
        self._stack = ExitStack()
        store = Store(keep_readings=KEEP.readings, keep_minutes=KEEP.minutes,
                      keep_beliefs=KEEP.beliefs, ballast_mb=1)  # fmt: skip
        settings = Settings(data_dir=folder, store=store)
        try:
            self.beliefs, self.state = open_store(settings, self.health, now, self._stack)
            self.numbers = [self.beliefs.register(sensor) for sensor in SENSORS]
        except BaseException:
            self._stack.close()
            raise

    @property
    def archive(self) -> LocalArchive:
        """What keeps the time series."""
        inside = self.beliefs._archive
        assert isinstance(inside, LocalArchive)
        return inside

    @property
    def alarms(self) -> list[str]:
        """What was found damaged, at the start and since."""
        now = self.beliefs.conditions().values()
        return sorted({*self.health.alarms.values(), *now} - {""})

    def sources(self) -> dict[int, int]:
        """Numbers of the plan's sources, and their place in it."""
        names = [one.name for one in SOURCES]
        return {number: names.index(one.name) for number, one in self.state.sources().items()
                if one.name in names}  # fmt: skip

    def cursors(self) -> Mapping[int, Cursor]:
        """How far a centre knows each sensor, by number; those of another archive are forgotten.

        Not those beyond its newest number, which an outbox forgets, too: no cut may make any.
        """
        self.state.cursors.keep_to(self.beliefs.epoch(), sys.maxsize)
        return self.state.cursors.of(CENTRE)

    def send(self) -> None:
        """A centre has all that came in, and that is noted, as by the outbox."""
        self.state.cursors.keep_to(self.beliefs.epoch(), self.beliefs.top())
        top = Cursor(self.beliefs.top())
        self.state.cursors.move({(CENTRE, number): top for number in self.numbers})

    def close(self) -> None:
        """Let go of all of it."""
        self.open = False
        self._stack.close()


class Worker:
    """Does steps of a plan."""

    def __init__(self, plan: Plan, folder: Path, now: datetime) -> None:
        self._plan = plan
        self._folder = folder
        self.house = House(folder, now)
        self._does: dict[Kind, Callable[[Step], object]] = {
            "readings": self._read, "late": self._read, "bulk": self._read,
            "untrusted": self._read, "forecast": self._forecast, "delete": self._delete,
            "delete-source": self._delete_source, "config": self._save_config,
            "maintain": lambda step: self.house.beliefs.maintain(step.now),
            "restamp": lambda _: self.house.beliefs.restamp(RIGHT),
            "remember": self._remember, "hold": self._hold, "let-go": self._let_go,
            "session": lambda step: self._state.open_session(f"{step.number}", step.now),
            "snapshot": lambda step: Snapshots(folder).take(step.now),
            "reopen": self._reopen, "migrate": self._reopen,
            "send": lambda _: self.house.send(), "import": self._import,
        }  # fmt: skip

    @property
    def _state(self) -> State:
        return self.house.state

    @property
    def _beliefs(self) -> Beliefs:
        return self.house.beliefs

    def do(self, step: Step) -> None:
        """One step; what it brought lasts when this returns. Raises ``StoreError``."""
        self._does[step.kind](step)

    def _read(self, step: Step) -> None:
        stamp = WRONG if step.kind == "untrusted" else RIGHT
        self._beliefs.append(
            Reading(SENSORS[sensor].name, moment(event + stamp.offset_us), value)
            for sensor, event, value in readings_of(step)
        )
        self._beliefs.flush(stamp)

    def _forecast(self, step: Step) -> None:
        self._beliefs.save([believed(step)], SOURCES[step.source])

    def _import(self, step: Step) -> None:
        """Past the journal, in two parts; a centre is sent all there is between them."""
        sensor, source = SENSORS[step.sensor], self._beliefs.source(SOURCES[step.source])
        number = self.house.numbers[step.sensor]
        rows = placing.believed(believed(step), number, source, sensor.resolution)

        def parts() -> Iterator[rows_kept.Beliefs]:
            yield rows.take(np.arange(5))
            self.house.send()
            yield rows.take(np.arange(5, len(rows)))

        self.house.archive.absorb(parts)

    def _delete(self, step: Step) -> None:
        start, end = (moment(us) for us in step.window_us)
        self.house.archive.delete(self.house.numbers[step.sensor], None, start, end)

    def _delete_source(self, step: Step) -> None:
        for number, place in self.house.sources().items():
            if place == step.source:
                self.house.archive.delete(self.house.numbers[step.sensor], number, None, None)

    def _remember(self, step: Step) -> None:
        self._state.remember(self._plan.fact(step), f"{step.number}")

    def _hold(self, step: Step) -> None:
        name = self._plan.fact(step)
        if name:
            self._state.hold(name, step.now)

    def _let_go(self, step: Step) -> None:
        name = self._plan.fact(step)
        if name:
            self._state.let_go(name)

    def _save_config(self, step: Step) -> None:
        durable.write(self._folder / CONFIG, f"{step.number}\n".encode() * 2000)

    def _reopen(self, step: Step) -> None:
        if self.house.open:
            self.house.close()
        if step.kind == "migrate":  # as after going back to an older version and forth again
            migrate(self._folder / STATE, _OLDEST)
        self.house = House(self._folder, step.now)

    def close(self) -> None:
        """Let go of the folder."""
        self.house.close()


def believed(step: Step) -> Belief:
    """What a step forecasts."""
    rows = forecast_of(step)
    grid = TimeGrid(moment(rows[0][0]), timedelta(minutes=15), len(rows))
    series = Series(grid, np.array([value for _, value in rows]))
    return Belief(SENSORS[step.sensor].name, SOURCES[step.source].name, step.now, series)


def work(plan: Plan, folder: Path, acks: int, first: int = 0, *, close: bool = True) -> None:
    """Do a plan from a step on; ``acks``: an open file that hears how many are done, and when."""
    worker = Worker(plan, folder, plan.steps[min(first, plan.n - 1)].now)
    for step in plan.steps[first:]:
        worker.do(step)
        os.write(acks, b"%d %d\n" % (step.number + 1, time.monotonic_ns()))
    if close:
        worker.close()


def planned(arguments: argparse.Namespace) -> Plan:
    """The plan that a command line asks for."""
    script = tuple(arguments.script.split())
    return Plan(
        arguments.seed, len(script) or arguments.steps, timedelta(minutes=arguments.minutes), script
    )


def options(about: str | None) -> argparse.ArgumentParser:
    """A command line with a plan."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--minutes", type=float, default=1.0, help="from step to step")
    parser.add_argument("--script", default="", help="kinds of steps (default: by chance)")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """As the first lines say."""
    parser = options(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("acks", type=Path)
    told = parser.parse_args(arguments)
    acks = os.open(told.acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    work(planned(told), told.folder, acks)


if __name__ == "__main__":
    main()
