"""What the numbers of sensors and sources mean. A number is given once and kept for good."""

import contextlib
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
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

    A sensor is the same as long as its name is; a source while all that it says is the same. One
    that was deleted keeps its number under another name: its own can be given to a new one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._sensors: _Book[Sensor] = _Book(
            database, Sensors, database.read(_sensors), lambda sensor: sensor.name, _sensor_row
        )
        self._deleted = database.read(_deleted)
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
        """Every sensor by its number, deleted ones, too."""
        with self._lock:
            return dict(self._sensors.known)

    def sources(self) -> Mapping[int, Source]:
        """Every source by its number."""
        with self._lock:
            return dict(self._sources.known)

    @contextlib.contextmanager
    def deleting(self) -> Iterator[None]:
        """While the caller deletes sensors in the database (``delete``); no numbers meanwhile."""
        with self._lock:
            try:
                yield
            finally:
                self._sensors.replace(self._database.read(_sensors))
                self._deleted = self._database.read(_deleted)

    def reinstate(self, kind: Kind, number: int, words: str) -> None:
        """Put back a number that an archive knows, before new ones are given.

        What is known keeps its newer unit and resolution. Where the number means something else
        here, the archive is right: its rows are under that number. What has another number here
        gets a name of its own for this one, so that its rows can be found. What was deleted here
        stays so. Raises ``StoreError`` where both is so: state and archive are not of one gateway
        then.
        """
        with self._lock:
            if kind == "sensor" and number in self._deleted:
                return
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
        self._key: Callable[[_T], Hashable] = key
        self._row: Callable[[_T], Json] = row
        self.replace(known)

    def replace(self, known: dict[int, _T]) -> None:
        """Know other values."""
        self.known: dict[int, _T] = known
        self._numbers = {self._key(value): number for number, value in known.items()}

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

    def change(self, number: int, value: _T, **more: object) -> None:
        """Let what a number means be described anew; ``more``: further columns."""
        table = self._table
        changed = sa.update(table).where(table.id == number).values(self._row(value) | more)
        self._database.execute(changed)
        del self._numbers[self._key(self.known[number])]
        self.known[number] = value
        self._numbers[self._key(value)] = number

    def _let_mean(self, number: int, value: _T) -> None:
        """Let a number mean something else; a sensor has no asset then."""
        if self._table is Sensors:
            self.change(number, value, asset_id=None, name=value.name)
        else:
            self.change(number, value)

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
            self._let_mean(number, value)
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


def _deleted(connection: sa.Connection) -> set[int]:
    return set(connection.scalars(sa.select(Sensors.id).where(Sensors.deleted.is_not(None))))


def delete(connection: sa.Connection, which: sa.ColumnElement[bool], now: datetime) -> list[int]:
    """Let sensors be deleted ones: without an asset, and under a name that nobody else has.

    To be called while ``Registry.deleting``. Returns their numbers.
    """
    key = Sensors.key + " (deleted " + sa.cast(Sensors.id, sa.Text) + ")"
    there = sa.and_(which, Sensors.deleted.is_(None))
    gone = sa.update(Sensors).where(there).values(asset_id=None, deleted=now, key=key)
    return list(connection.scalars(gone.returning(Sensors.id)))


def _sources(connection: sa.Connection) -> dict[int, Source]:
    parts = (getattr(Sources, part) for part in _PARTS)
    return {
        number: Source(name, kind, *(part or None for part in rest))
        for number, name, kind, *rest in connection.execute(
            sa.select(Sources.id, *parts).order_by(Sources.id)
        )
    }
