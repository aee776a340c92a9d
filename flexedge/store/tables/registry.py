"""What the numbers of sensors and sources mean. A number is given once and kept for good."""

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Generic, TypeVar

import sqlalchemy as sa

from flexedge.domain.asset import Sensor, Source
from flexedge.errors import StoreError
from flexedge.store.archive import Kind
from flexedge.store.tables.columns import Json
from flexedge.store.tables.database import Database
from flexedge.store.tables.models import Sensors, Sources
from flexedge.store.words import knowable_json, knowable_of, sensor_of, source_of

_T = TypeVar("_T", Sensor, Source)
_PARTS = ("name", "kind", "model", "version", "account")


class Registry:
    """Numbers for sensors and sources. Safe to use from any thread. Raises ``StoreError``.

    A sensor is the same as long as its name is; a source while all that it says is the same.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._sensors: _Book[Sensor] = _Book(
            database, Sensors, database.read(_sensors), lambda sensor: sensor.name, _sensor_row
        )
        self._sources: _Book[Source] = _Book(
            database, Sources, database.read(_sources), lambda source: source, _source_row
        )

    def sensor_id(self, sensor: Sensor) -> int:
        """The number of a sensor, new or known; unit, resolution and the like are brought up."""
        with self._lock:
            number = self._sensors.number(sensor)
            if number is None:
                return self._sensors.add(sensor)
            if self._sensors.known[number] != sensor:
                self._sensors.change(number, sensor)
            return number

    def source_id(self, source: Source) -> int:
        """The number of a source, new or known."""
        with self._lock:
            number = self._sources.number(source)
            return self._sources.add(source) if number is None else number

    def sensors(self) -> Mapping[int, Sensor]:
        """Every sensor by its number."""
        with self._lock:
            return dict(self._sensors.known)

    def sources(self) -> Mapping[int, Source]:
        """Every source by its number."""
        with self._lock:
            return dict(self._sources.known)

    def reinstate(self, kind: Kind, number: int, words: str) -> None:
        """Put back a number that an archive knows, before new ones are given.

        What is known keeps its newer unit and resolution. Where the number means something else
        here, the archive is right: its rows are under that number. What has another number here
        gets a name of its own for this one, so that its rows can be found. Raises ``StoreError``
        where both is so: state and archive are not of one gateway then.
        """
        with self._lock:
            if kind == "sensor":
                self._sensors.reinstate(number, _read(sensor_of, words), Sensor("sensor", ""))
            else:
                self._sources.reinstate(number, _read(source_of, words), Source("source", ""))


class _Book(Generic[_T]):
    """A table and what is known of it: values by number, and numbers by what makes them one."""

    def __init__(
        self,
        database: Database,
        table: type[Sensors | Sources],
        known: dict[int, _T],
        key: Callable[[_T], Hashable],
        row: Callable[[_T], Json],
    ) -> None:
        self._database, self._table = database, table
        self.known: dict[int, _T] = known
        self._key: Callable[[_T], Hashable] = key
        self._row: Callable[[_T], Json] = row
        self._numbers = {key(value): number for number, value in known.items()}

    def number(self, value: _T) -> int | None:
        """The number of a value, if it has one."""
        return self._numbers.get(self._key(value))

    def add(self, value: _T, number: int | None = None) -> int:
        """Give a value a number: the next one, or a given one that is free."""
        fixed = {} if number is None else {"id": number}
        table = self._table
        rest: Json = {"attributes": {}}
        if table is Sensors:
            rest |= {"name": value.name, "timezone": "UTC"}

        def work(connection: sa.Connection) -> int:
            statement = sa.insert(table).values(self._row(value) | rest | fixed)
            given = connection.execute(statement.returning(table.id)).scalar_one()
            if number is not None:
                self._database.numbers_from_here(connection, table)
            return given

        given = self._database.write(work)
        self.known[given] = value
        self._numbers[self._key(value)] = given
        return given

    def change(self, number: int, value: _T) -> None:
        """Let a number mean something else."""
        table = self._table
        changed = sa.update(table).where(table.id == number).values(self._row(value))
        self._database.execute(changed)
        del self._numbers[self._key(self.known[number])]
        self.known[number] = value
        self._numbers[self._key(value)] = number

    def reinstate(self, number: int, value: _T | None, nameless: _T) -> None:
        """See ``Registry``; ``value`` None: the archive's words cannot be read any more."""
        taken = number in self.known
        if value is None:
            if taken:
                return
            value = replace(nameless, name=f"{nameless.name} {number}")
        elsewhere = self.number(value)
        if elsewhere == number:
            return
        if elsewhere is not None and taken:
            raise StoreError(
                f"number {number} is {value.name} in the archive, but {self.known[number].name} in"
                f" the state, where {value.name} is number {elsewhere}: restore a backup that holds"
                " both"
            )
        if taken:
            self.change(number, value)
        elif elsewhere is not None:
            self.add(replace(value, name=f"{value.name} (number {number})"), number)
        else:
            self.add(value, number)


def _read(reader: Callable[[str], _T], words: str) -> _T | None:
    try:
        return reader(words)
    except StoreError:
        return None


def _sensor_row(sensor: Sensor) -> Json:
    return {
        "key": sensor.name,
        "unit": sensor.unit,
        "resolution": sensor.resolution,
        "knowable": knowable_json(sensor.knowable),
        "turns_at": sensor.turns_at,
    }


def _source_row(source: Source) -> Json:
    return {part: getattr(source, part) or "" for part in _PARTS}


def _sensors(connection: sa.Connection) -> dict[int, Sensor]:
    columns = (Sensors.id, Sensors.key, Sensors.unit, Sensors.resolution, Sensors.knowable,
               Sensors.turns_at)  # fmt: skip
    return {
        number: Sensor(key, unit, resolution, knowable_of(knowable), turns_at)
        for number, key, unit, resolution, knowable, turns_at in connection.execute(
            sa.select(*columns).order_by(Sensors.id)
        )
    }


def _sources(connection: sa.Connection) -> dict[int, Source]:
    parts = (getattr(Sources, part) for part in _PARTS)
    return {
        number: Source(name, kind, *(part or None for part in rest))
        for number, name, kind, *rest in connection.execute(
            sa.select(Sources.id, *parts).order_by(Sources.id)
        )
    }
