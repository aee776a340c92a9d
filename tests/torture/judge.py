"""Opens a data folder as the daemon does and holds what is there against what was acknowledged."""

import json
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from flexedge.domain.belief import Belief, Reading
from flexedge.domain.series import Series, TimeGrid
from flexedge.errors import FlexedgeError
from flexedge.store import sqlite
from flexedge.store.archive import Asked
from flexedge.store.local.shelf import Window
from flexedge.store.local.since import last_of
from flexedge.store.rows import EPOCH, Beliefs, Ingested, moment
from flexedge.store.snapshots import Snapshots
from flexedge.store.tables.models import Facts, Sessions
from tests.torture.plan import RIGHT, SENSORS, SOURCES, Plan, Rows
from tests.torture.work import CONFIG, House, options, planned

_FAR = EPOCH + timedelta(days=40_000)
_HOUR = timedelta(hours=1)
_HOUR_US = 3_600_000_000
_ALL = 1_000_000
_EXTRA = 987_654.0
"""A value that no plan has."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``fault``: "" or what is wrong, a word first; ``reached``: how many steps are there."""

    fault: str
    reached: int

    @property
    def kind(self) -> str:
        """The word."""
        return self.fault.partition(":")[0]


class Wrong(Exception):
    """What is there is not what should be."""


class Judge:
    """Judges folders that a plan was done to."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._sound: set[bytes] = set()

    def judge(
        self, folder: Path, acked: int, *, thorough: bool = True, most: int = 0
    ) -> Verdict:  # fmt: skip
        """Whether a folder holds the ``acked`` steps, and of the next one all or nothing.

        ``most``: as many steps were acknowledged later than counts.
        ``thorough``: also whether the roll-ups fit and it can be worked with; this adds a reading,
        and maintains.
        """
        try:
            house = House(folder, self._now(acked))
        except FlexedgeError as error:
            return Verdict(f"UNOPENED: {error}", acked)
        except Exception:  # noqa: BLE001 (whatever it is, it is a finding)
            return Verdict(f"CRASHED: {traceback.format_exc(limit=-3)}", acked)
        try:
            reached = self._compared(house, acked, max(acked, most))
            if thorough:
                self._works(house, reached)
                self._demand_sums(house, reached)
        except Wrong as error:
            return Verdict(str(error), acked)
        except FlexedgeError as error:
            return Verdict(f"REFUSED: {error}", acked)
        except Exception:  # noqa: BLE001 (whatever it is, it is a finding)
            return Verdict(f"CRASHED: {traceback.format_exc(limit=-3)}", acked)
        finally:
            house.close()
        return Verdict("", reached)

    def _now(self, steps: int) -> datetime:
        return self._plan.steps[min(steps, self._plan.n - 1)].now

    def _compared(self, house: House, acked: int, most: int) -> int:
        self._demand_single(house)
        self._demand_whole_snapshots(house.folder)
        self._demand_new_numbers(house)
        faults: list[str] = []
        for steps in range(acked, min(most + 1, self._plan.n) + 1):
            fault = next(self._differences(house, steps), "")
            if not fault:
                break
            faults.append(fault)
        else:
            raise Wrong("; ".join([" (and not) ".join(faults), *house.alarms]))
        if house.alarms:  # all is there, or it would say what is not
            raise Wrong(f"ALARM: {'; '.join(house.alarms)}")
        return steps

    def _differences(self, house: House, steps: int) -> Iterator[str]:
        plan, since = self._plan, self._plan.since_us(steps)
        readings, beliefs = plan.readings.after(steps, since), plan.beliefs.after(steps, since)
        yield from differing("readings", read(house, since), readings, steps)
        yield from differing("beliefs", believed(house, since), beliefs, steps)
        yield from self._offered_differs(house, steps)
        yield from self._state_differs(house, steps)

    def _offered_differs(self, house: House, steps: int) -> Iterator[str]:
        since = self._plan.since_us(steps)
        there = offered(house, since)
        faults = []
        for sent in sorted(self._plan.sent(steps)):
            due = self._plan.beliefs.after(steps, since, first=sent)
            faults += list(differing("beliefs for a centre", there, due, steps))[:1]
        if len(faults) == len(self._plan.sent(steps)):
            yield faults[0]

    def _state_differs(self, house: House, steps: int) -> Iterator[str]:
        wanted = self._plan.facts(steps)
        found = facts(house)
        for name in sorted(wanted.keys() | found.keys()):
            if wanted.get(name) != found.get(name):
                yield f"STATE: {name} is {found.get(name)}, not {wanted.get(name)}, after {steps}"

    def _demand_sums(self, house: House, steps: int) -> None:
        """The roll-ups say what readings say."""
        start = -(-self._plan.since_us(steps) // _HOUR_US) * _HOUR_US
        rows = self._plan.readings.after(steps, start)
        if not len(rows.value) or self._plan.waiting(steps):
            return
        hours = int(rows.event_us.max() - start) // _HOUR_US + 1
        found = house.archive.buckets(house.numbers, moment(start), _HOUR, hours)
        place = (rows.event_us - start) // _HOUR_US * len(SENSORS) + rows.sensor
        size = hours * len(SENSORS)
        count = np.bincount(place, minlength=size)
        total = np.bincount(place, rows.value, minlength=size)
        there = (found.start_us - start) // _HOUR_US * len(SENSORS) + _places(house, found.sensor)
        told_count, told_total = np.zeros(size, np.int64), np.zeros(size)
        told_count[there], told_total[there] = found.count, found.mean * found.count
        wrong = (count != told_count) | ~np.isclose(total, told_total)
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            when = f"{moment(start) + at // len(SENSORS) * _HOUR:%d %H:%M}"
            said = f"{told_count[at]} of {count[at]}, {told_total[at]} of {total[at]}"
            raise Wrong(f"SUMS: sensor {at % len(SENSORS)} {when}: {said}")

    def _demand_new_numbers(self, house: House) -> None:
        """No number that a centre has is given again."""
        sent = max((cursor.position for cursor in house.cursors().values()), default=0)
        given = last_of(house.archive._journal.last)
        if sent > given:
            raise Wrong(f"AGAIN: a centre has all up to {sent}, numbers go on after {given}")

    def _demand_single(self, house: House) -> None:
        """No row is in two files, or in a file and the journal."""
        shelf, engine = house.archive._shelf, house.archive._engine
        for kind in ("readings", "beliefs"):
            with shelf.view() as view:
                rows = shelf.relation(view, kind, Window(), once=False)
                ((n, single),) = engine.run(f"select count(*), count(distinct ord) from {rows}")
            if n != single:
                raise Wrong(f"DOUBLED: {n - single} of {n} {kind}")

    def _demand_whole_snapshots(self, folder: Path) -> None:
        for snapshot in Snapshots(folder).newest_first():
            content = snapshot.path.read_bytes()
            if content not in self._sound:
                sqlite.check(snapshot.path, whole=True)
                self._sound.add(content)

    def _works(self, house: House, reached: int) -> None:
        """It takes one more of everything, and compacts; nothing goes by that."""
        now = self._now(reached)
        house.beliefs.restamp(RIGHT)
        house.beliefs.append([Reading(SENSORS[0].name, moment(123_456), _EXTRA)])
        house.beliefs.flush(RIGHT)
        house.state.remember("extra", "yes")
        series = Series(TimeGrid(EPOCH, SENSORS[0].resolution, 1), np.array([_EXTRA]))
        house.beliefs.save([Belief(SENSORS[0].name, SOURCES[0].name, now, series)], SOURCES[0])
        if _EXTRA not in offered(house, 0).value:
            raise Wrong("SKIPPED: what came in after the start is not there for a centre")
        house.beliefs.maintain(now)
        found = house.archive.readings(house.numbers[:1], EPOCH, EPOCH + _HOUR)
        if found.value.tolist() not in ([_EXTRA], []) or house.state.fact("extra") != "yes":
            raise Wrong("STUCK: what was written after the start is not there")
        self._demand_single(house)
        since = self._plan.since_us(reached)
        due = as_set(self._plan.readings.after(reached, since)) | self._plan.dated(reached)
        there = as_set(read(house, since))
        if there != due:
            raise Wrong(f"LATER: {len(due - there)} readings missing, {len(there - due)} too many")


def _places(house: House, numbers: np.ndarray) -> np.ndarray:
    order = {number: place for place, number in enumerate(house.numbers)}
    return np.array([order[number] for number in numbers.tolist()], np.int64)


def read(house: House, since_us: int) -> Rows:
    """All readings of events since a time."""
    rows = house.archive.readings(house.numbers, moment(since_us), _FAR)
    zero = np.zeros(len(rows), np.int64)
    return Rows(_places(house, rows.sensor), zero, rows.event_us, zero, rows.value, zero, zero)


def believed(house: House, since_us: int) -> Rows:
    """All beliefs about events since a time."""
    asked = Asked(tuple(house.numbers), moment(since_us), most_recent=False)
    return as_rows(house, house.archive.beliefs(asked, {}))


def offered(house: House, since_us: int) -> Rows:
    """All beliefs about events since a time that came in beyond what a centre has."""
    cursors, top = house.cursors(), house.beliefs.top()
    position = {number: cursor.position for number, cursor in cursors.items()}
    rows = Ingested.joined([
        house.beliefs.since(sensor.name, (position.get(number, 0), top), limit=_ALL).rows
        for sensor, number in zip(SENSORS, house.numbers, strict=True)
    ])  # fmt: skip
    return as_rows(house, rows.take(np.flatnonzero(rows.event_us >= since_us)))


def as_rows(house: House, rows: Beliefs | Ingested) -> Rows:
    """Beliefs as a plan has them."""
    zero, places = np.zeros(len(rows), np.int64), house.sources()
    source = np.array([places.get(number, -1) for number in rows.source.tolist()], np.int64)
    found = Rows(_places(house, rows.sensor), source, rows.event_us, rows.belief_us, rows.value,
                 zero, zero)  # fmt: skip
    return found.ordered()  # the numbers of sources may have another order


def differing(what: str, found: Rows, rows: Rows, steps: int) -> Iterator[str]:
    """What is missing and what is too much."""
    names = ("sensor", "source", "event_us", "belief_us", "value")
    if all(np.array_equal(getattr(found, name), getattr(rows, name)) for name in names):
        return
    there, due = as_set(found), as_set(rows)
    missing, more = due - there, there - due
    if missing:
        yield f"LOST: {len(missing)} of {len(due)} {what} after {steps} steps, {min(missing)}"
    if more:
        yield f"AHEAD: {len(more)} {what} too many after {steps} steps, {min(more)}"
    if not missing and not more:
        yield f"DOUBLED: {len(found.value)} {what}, not {len(rows.value)}, after {steps} steps"


def as_set(rows: Rows) -> set[tuple[float, ...]]:
    """Rows as tuples."""
    columns = (rows.sensor, rows.source, rows.event_us, rows.belief_us, rows.value)
    return set(zip(*(column.tolist() for column in columns), strict=True))


def facts(house: House) -> Mapping[str, str]:
    """What the state holds: facts, leases, sessions, and the configuration beside it."""
    about = sa.union_all(
        sa.select(Facts.name, Facts.value).where(Facts.name.startswith("remember-")),
        sa.select("session-" + Sessions.token_hash, Sessions.token_hash),
    )
    rows = house.state._database.read(lambda connection: connection.execute(about).all())
    found = dict(rows) | {name: at.isoformat() for name, at in house.state.held().items()}
    path = house.folder / CONFIG
    if path.exists():
        lines = set(path.read_text().splitlines())
        found["config"] = lines.pop() if len(lines) == 1 else "torn"
    return found


def main() -> None:
    """Judge folders that the standard input names, each with the number of steps acknowledged."""
    judge = Judge(planned(options(__doc__).parse_args()))
    for line in sys.stdin:
        folder, acked, thorough = json.loads(line)
        verdict = judge.judge(Path(folder), acked, thorough=thorough)
        print(json.dumps([verdict.fault, verdict.reached]), flush=True)


if __name__ == "__main__":
    main()
