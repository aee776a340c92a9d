"""What a gateway does to its data folder, step by step, and what must be there after each.

All of it follows from a seed: whoever finds a folder can tell what belongs into it.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.asset import Sensor, Source
from flexedge.store.archive import Keep, Stamp
from flexedge.store.rows import micros

Kind = Literal[
    "readings", "late", "bulk", "untrusted", "restamp", "forecast", "delete", "delete-source",
    "maintain", "remember", "hold", "let-go", "session", "snapshot", "config", "migrate", "reopen",
    "send", "import",
]  # fmt: skip
START = datetime(2026, 3, 27, tzinfo=UTC)
KEEP = Keep(timedelta(days=1), timedelta(days=3), None, timedelta(days=2))
SENSORS = tuple(
    Sensor(name, unit, timedelta(minutes=15))
    for name, unit in (("grid.power", "kW"), ("battery.power", "kW"), ("battery.soc", "%"),
                       ("pv.power", "kW"))
)  # fmt: skip
SOURCES = (Source("scheduler", "scheduler"), Source("forecaster", "forecaster"))
AT_ONCE = 400
"""So many readings go past the journal; the archive's own limit is too large for many states."""
WRONG = Stamp("boot", -30 * 86_400_000_000, trusted=False)
"""A clock that is late by 30 days."""
RIGHT = Stamp("boot", 0, trusted=True)
FOREVER = 1 << 40
_COMMON: tuple[tuple[Kind, int], ...] = (
    ("readings", 74), ("forecast", 10), ("late", 4), ("remember", 4), ("hold", 3), ("let-go", 3),
    ("session", 2))  # fmt: skip
_RARE: tuple[tuple[Kind, int, int], ...] = (
    ("maintain", 20, 7),
    ("send", 20, 12),
    ("import", 100, 42),
    ("snapshot", 160, 31),
    ("config", 90, 11),
    ("delete", 250, 75),
    ("delete-source", 500, 333),
    ("bulk", 400, 201),
    ("reopen", 300, 120),
    ("migrate", 900, 455),
)
"""What comes every so many steps of 3000, and when first."""  # fmt: skip
_WHOLE = 3000
_UNTRUSTED, _RESTAMP = range(30, 35), 41
_SECOND, _HOUR = 1_000_000, 3_600_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is acknowledged when it is done."""

    number: int
    kind: Kind
    now: datetime

    @property
    def now_us(self) -> int:
        """In microseconds."""
        return micros(self.now)

    @property
    def sensor(self) -> int:
        """Which sensor it is about, where it is about one."""
        return self.number % len(SENSORS)

    @property
    def source(self) -> int:
        """Which source it is about, where it is about one."""
        return self.number // 7 % len(SOURCES)

    @property
    def window_us(self) -> tuple[int, int]:
        """What a deletion takes out: from 5 to 3 hours ago, and not at even times."""
        return self.now_us - 5 * _HOUR + 77 * _SECOND, self.now_us - 3 * _HOUR + 7 * _SECOND


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as arrays of one length, each with the first step that has it and the first without."""

    sensor: NDArray[np.int64]
    source: NDArray[np.int64]
    event_us: NDArray[np.int64]
    belief_us: NDArray[np.int64]
    value: NDArray[np.float64]
    born: NDArray[np.int64]
    dead: NDArray[np.int64]

    def after(self, steps: int, since_us: int, first: int = 0) -> "Rows":
        """Those that are there after so many steps, of events since a time; ``first``: of steps."""
        born = (self.born >= first) & (self.born < steps)
        there = born & (self.dead >= steps) & (self.event_us >= since_us)
        return Rows(*(getattr(self, name)[there] for name in self.__slots__)).ordered()

    def ordered(self) -> "Rows":
        """By sensor, event, source, belief time."""
        order = np.lexsort((self.belief_us, self.source, self.event_us, self.sensor))
        return Rows(*(getattr(self, name)[order] for name in self.__slots__))


class _Ledger:
    """Rows as they come and go."""

    def __init__(self) -> None:
        self._rows: list[list[float]] = []
        self._newest: dict[tuple[int, int, int, int], int] = {}

    def add(
        self, step: int, sensor: int, source: int, event: int, belief: int, value: float
    ) -> None:
        """A row; one that is there with the same key ends."""
        key = (sensor, source, event, belief)
        old = self._newest.get(key)
        if old is not None:
            self._rows[old][6] = min(self._rows[old][6], step)
        self._newest[key] = len(self._rows)
        self._rows.append([sensor, source, event, belief, value, step, FOREVER])

    def delete(
        self, step: int, sensor: int, source: int | None, window: tuple[int, int] | None
    ) -> None:
        """Rows end."""
        for row in self._rows:
            inside = window is None or window[0] <= row[2] < window[1]
            if row[0] == sensor and source in (None, row[1]) and inside and row[5] < step:
                row[6] = min(row[6], step)

    def rows(self) -> Rows:
        """All there ever were."""
        columns = list(zip(*self._rows, strict=True)) or [()] * 7
        whole = [np.array(column, np.int64) for column in (*columns[:4], *columns[5:])]
        sensor, source, event, belief, born, dead = whole
        value = np.array(columns[4], np.float64)
        return Rows(sensor, source, event, belief, value, born, dead)


@dataclass(frozen=True)
class Plan:
    """``n`` steps that take ``pace`` each, out of a seed; or those of a script."""

    seed: int
    n: int
    pace: timedelta = timedelta(minutes=1)
    script: tuple[Kind, ...] = ()

    @cached_property
    def steps(self) -> Sequence[Step]:
        """Every step."""
        kinds = list(self.script) or self._drawn()
        return [Step(i, kind, START + i * self.pace) for i, kind in enumerate(kinds)]

    def _drawn(self) -> list[Kind]:
        chance = random.Random(self.seed)
        kinds: list[Kind] = chance.choices(
            [kind for kind, _ in _COMMON], [weight for _, weight in _COMMON], k=self.n
        )
        for kind, every, first in _RARE:
            period = max(5, every * self.n // _WHOLE)
            for number in range(first * period // every, self.n, period):
                kinds[number] = kind
        for number in _UNTRUSTED:
            if number < _RESTAMP < self.n:
                kinds[number], kinds[_RESTAMP] = "untrusted", "restamp"
        return kinds

    @property
    def restamped(self) -> int:
        """After so many steps the readings of the wrong clock are dated."""
        return _RESTAMP + 1

    def waiting(self, steps: int) -> bool:
        """Whether readings of the wrong clock are not dated yet."""
        return _UNTRUSTED.start < steps < self.restamped <= self.n

    def dated(self, steps: int) -> set[tuple[float, ...]]:
        """The readings of the wrong clock that are not dated yet, as they will be."""
        return {
            (sensor, 0, event, 0, value)
            for step in (self.steps[:steps] if self.waiting(steps) else ())
            if step.kind == "untrusted"
            for sensor, event, value in readings_of(step)
        }

    def sent(self, steps: int) -> set[int]:
        """After so many steps a centre has what the first so many brought; 0: it has nothing.

        Nothing, too, after going back to an older version, which knows of no centre. There are two
        answers where the next step may be under way and sends before it has come to its end.
        """
        told = [step for step in self.steps[:steps] if step.kind in ("send", "import", "migrate")]
        sent = told[-1].number if told and told[-1].kind != "migrate" else 0
        under_way = steps < self.n and self.steps[steps].kind == "import"
        return {sent, steps} if under_way else {sent}

    def since_us(self, steps: int) -> int:
        """Rows of events before this may have gone, for their age, after so many steps."""
        assert KEEP.readings is not None
        return micros(self.steps[min(steps, self.n - 1)].now - KEEP.readings)

    @cached_property
    def readings(self) -> Rows:
        """Every reading there ever is; the source is 0."""
        ledger = _Ledger()
        for step in self.steps:
            if step.kind == "delete":
                ledger.delete(step.number, step.sensor, None, step.window_us)
            for sensor, event, value in readings_of(step):
                born = _RESTAMP if step.kind == "untrusted" else step.number
                ledger.add(born, sensor, 0, event, 0, value)
        return ledger.rows()

    @cached_property
    def beliefs(self) -> Rows:
        """Every belief there ever is."""
        ledger = _Ledger()
        for step in self.steps:
            if step.kind == "delete":
                ledger.delete(step.number, step.sensor, None, step.window_us)
            if step.kind == "delete-source":
                ledger.delete(step.number, step.sensor, step.source, None)
            for event, value in forecast_of(step):
                ledger.add(step.number, step.sensor, step.source, event, step.now_us, value)
        return ledger.rows()

    @cached_property
    def _facts(self) -> Sequence[tuple[int, str, str | None]]:
        changes: list[tuple[int, str, str | None]] = []
        held: list[str] = []
        for step in self.steps:
            name = f"{step.kind}-{step.number % 5}"
            if step.kind in ("remember", "session", "config"):
                changes.append((step.number, "config" if step.kind == "config" else
                                f"session-{step.number}" if step.kind == "session" else name,
                                str(step.number)))  # fmt: skip
            elif step.kind == "hold" and name not in held:
                held.append(name)
                changes.append((step.number, name, step.now.isoformat()))
            elif step.kind == "let-go" and held:
                changes.append((step.number, held.pop(0), None))
        return changes

    def prepare(self) -> None:
        """Work all of it out, once for all processes to come."""
        assert self.readings is not None
        assert self.beliefs is not None
        assert self._facts is not None

    def fact(self, step: Step) -> str:
        """The name of what a step changes in the state; "" where nothing changes."""
        return next((name for number, name, _ in self._facts if number == step.number), "")

    def facts(self, steps: int) -> Mapping[str, str]:
        """What the state holds after so many steps: facts, leases, sessions, configuration."""
        held: dict[str, str] = {}
        for number, name, value in self._facts:
            if number >= steps:
                break
            if value is None:
                held.pop(name, None)
            else:
                held[name] = value
        return held


ONE_OF_EACH: tuple[Kind, ...] = (
    "readings", "remember", "forecast", "maintain", "readings", "late", "hold", "maintain",
    "bulk", "forecast", "snapshot", "config", "maintain", "send", "readings", "delete",
    "forecast", "delete-source", "let-go", "session", "maintain", "migrate", "send", "forecast",
    "maintain", "readings", "maintain", "reopen", "readings",
)  # fmt: skip
"""A script for short plans, with an hour and a half from step to step."""


def short(seed: int = 1) -> Plan:
    """A plan with one of each."""
    return Plan(seed, len(ONE_OF_EACH), timedelta(minutes=90), ONE_OF_EACH)


def readings_of(step: Step) -> list[tuple[int, int, float]]:
    """What a step reads: sensor, event and a value that no other reading has."""
    if step.kind in ("readings", "untrusted"):
        places = [(sensor, at) for sensor in range(len(SENSORS)) for at in (0, 30)]
        return [
            (sensor, step.now_us - (at + sensor) * _SECOND, step.number + i / 1024)
            for i, (sensor, at) in enumerate(places)
        ]
    if step.kind == "late":  # what every step may have read an hour ago, or not
        event = step.now_us - _HOUR
        return [
            (sensor, event - sensor * _SECOND, step.number + sensor / 1024)
            for sensor in range(len(SENSORS))
        ]
    if step.kind == "bulk":
        return [
            (i % len(SENSORS), step.now_us - i * 14 * _SECOND - 500_000, step.number + i / 1024)
            for i in range(AT_ONCE + 50)
        ]
    return []


def forecast_of(step: Step) -> list[tuple[int, float]]:
    """What a step forecasts: a quarter of an hour and its value, for three hours."""
    if step.kind not in ("forecast", "import"):
        return []
    quarter = 900 * _SECOND
    first = step.now_us // quarter * quarter
    return [(first + i * quarter, step.number + i / 1024) for i in range(12)]
