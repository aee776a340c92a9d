"""From a portion of the outbox to the runs that are posted of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from flexedge.config.centre import CentreRules, Report, Scope
from flexedge.domain.asset import Sensor
from flexedge.domain.runs import Run
from flexedge.gateway.sync import naming
from flexedge.gateway.sync.outbox import Outbox, Portion
from flexedge.gateway.sync.report import (
    LATE,
    Way,
    lacking,
    reported,
    stretches,
    way_of,
    wholes,
)
from flexedge.gateway.sync.revised import ROLES, changed, newest, standing
from flexedge.gateway.sync.runs import Told, runs, told_by, told_in
from flexedge.store.archive import Asked
from flexedge.store.beliefs import Beliefs
from flexedge.store.rows import micros, moment
from flexedge.store.tables.centres import Link

DISPATCHED: Final = ".dispatched"
"""How sensors end that say which setpoints were carried out."""
SCOPES: Final[Mapping[str, Scope]] = {
    "": "readings", "forecast": "forecasts", "schedule": "schedules", "outcome": "outcomes",
}  # fmt: skip
"""Roles of sensors whose values go up, and what must be agreed on for that."""
LOOK_BACK: Final = timedelta(days=7)
"""How far past the time at which an event is late one is looked for after a start."""


def scope_of(sensor: Sensor, role: str) -> Scope | None:
    """What must be agreed on to send a sensor's values in a role; None: they are not sent."""
    if not role and sensor.name.endswith(DISPATCHED):
        return "outcomes"
    return SCOPES.get(role)


@dataclass(slots=True)
class Memory:
    """What is remembered of a link while the program runs; it can be lost without harm."""

    values: dict[int, tuple[float, bool]] = field(default_factory=dict)
    """Of forecasts and schedules: the value told last, and whether after its event; by event."""
    late_until: datetime | None = None
    """Up to here events were looked at of which parts are missing."""

    def forget_before(self, event_us: int) -> None:
        """Let go of events that nobody speaks of any more."""
        for event in [one for one in self.values if one < event_us]:
            del self.values[event]


class Telling:
    """Makes runs of what waits. For one thread. Raises ``StoreError``."""

    def __init__(
        self, beliefs: Beliefs, outbox: Outbox, rules: CentreRules, *, early: bool = False
    ) -> None:
        self._beliefs = beliefs
        self._outbox = outbox
        self._rules = rules
        self._early = early
        """Of the centre: see ``Shape``."""

    def report(self, sensor: Sensor) -> Report:
        """How a sensor is told, as the site file says."""
        return self._rules.sensors.get(sensor.name, self._rules.report)

    def way(self, link: Link, sensor: Sensor) -> Way:
        """How a link's values are told."""
        there = timedelta(seconds=float(link.details.get("resolution", 0.0)))
        unit = naming.unit_name(sensor.unit)
        way = way_of(sensor, there, unit, link.role, self.report(sensor))
        within = self._rules.plans_every if link.role in ROLES else way.within
        return replace(way, shape=replace(way.shape, early=self._early), within=within)

    def runs(
        self, portion: Portion, sensor: Sensor, memory: Memory, now: datetime
    ) -> tuple[list[Run], int]:
        """What is to be posted of a portion, and how many of its values cannot be told."""
        way = self.way(portion.link, sensor)
        rows = portion.rows
        told, left_out = told_by(rows, rows.number)
        if not len(told):
            return [], left_out
        held = told.take(np.zeros(0, np.int64))
        if way.needs_history or not portion.live:
            parts = stretches(told, way)
            held = Told.joined([self._held(portion.link, sensor, *part) for part in parts])
        told = reported(told, held, way, now)
        if way.tolerance and len(told):
            told = self._revised(told, held, portion, (way, memory, now))
        return list(runs(told, way.shape)), left_out

    def _revised(
        self, told: Told, held: Told, portion: Portion, how: tuple[Way, Memory, datetime]
    ) -> Told:
        """What of forecasts and schedules is news."""
        way, memory, now = how
        if not portion.live:
            return standing(told, held if way.parts == 1 else wholes(held, held, way, now), way)
        told = changed(newest(told) if way.within else told, memory.values, way)
        memory.forget_before(int(portion.rows.event_us.min()))
        return told

    def late(self, link: Link, sensor: Sensor, memory: Memory, now: datetime) -> Iterator[Run]:
        """Runs of events that are told without some of their parts, for these are late."""
        way = self.way(link, sensor)
        until = now - LATE
        if way.parts == 1 or (memory.late_until or until) > until:
            return
        start = memory.late_until or until - LOOK_BACK
        memory.late_until = until
        length = way.shape.lasting // timedelta(microseconds=1)
        first, last = (micros(edge) // length * length for edge in (start, until))
        held = lacking(self._held(link, sensor, first, last), way)
        yield from runs(wholes(held, held, way, now), way.shape)

    def again(self, run: Run, link: Link, sensor: Sensor, now: datetime) -> list[Run]:
        """A run that was refused, and what is believed next of its events.

        A centre that had heard of that dropped it where it says what was said before the run.
        """
        way = self.way(link, sensor)
        told = told_in(run, way.shape)
        held = Told.joined([self._held(link, sensor, *part) for part in stretches(told, way)])
        held = held if way.parts == 1 else wholes(held, held, way, now)
        some = standing(told, held, replace(way, within=timedelta(0)))
        known = set(zip(told.event_us.tolist(), told.belief_us.tolist(), strict=True))
        pairs = zip(some.event_us.tolist(), some.belief_us.tolist(), strict=True)
        after = np.array([pair not in known for pair in pairs], np.bool_)
        return [run, *runs(some.take(after), way.shape)]

    def _held(self, link: Link, sensor: Sensor, start_us: int, end_us: int) -> Told:
        """All that is believed of events, whoever says so of those that count for the link."""
        asked = Asked((), moment(start_us), moment(end_us), most_recent=False)
        rows = self._beliefs.ask((sensor.name,), asked, self._outbox.which(link))
        return told_by(rows, np.arange(len(rows)))[0]
