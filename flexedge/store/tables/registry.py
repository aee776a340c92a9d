"""What the numbers of sensors and sources mean. A number is given once and kept for good."""

import threading
from collections.abc import Mapping

import sqlalchemy as sa

from flexedge.domain.asset import Sensor, Source
from flexedge.errors import StoreError
from flexedge.store.archive import Kind
from flexedge.store.tables.database import Database
from flexedge.store.tables.models import Json, Sensors, Sources
from flexedge.store.words import knowable_json, knowable_of, sensor_of, source_of

_PARTS = ("name", "kind", "model", "version", "account")


class Registry:
    """Numbers for sensors and sources. Safe to use from any thread. Raises ``StoreError``.

    A sensor is the same as long as its name is; a source while all that it says is the same.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.RLock()
        self._sensors = database.read(_sensors)
        self._sources = database.read(_sources)
        self._by_name = {sensor.name: number for number, sensor in self._sensors.items()}
        self._by_source = {source: number for number, source in self._sources.items()}

    def sensor_id(self, sensor: Sensor) -> int:
        """The number of a sensor, new or known; unit, resolution and the like are brought up."""
        with self._lock:
            number = self._by_name.get(sensor.name)
            if number is None:
                return self._add_sensor(sensor, None)
            if self._sensors[number] != sensor:
                described = _described(sensor)
                changed = sa.update(Sensors).where(Sensors.id == number).values(described)
                self._database.execute(changed)
                self._sensors[number] = sensor
            return number

    def source_id(self, source: Source) -> int:
        """The number of a source, new or known."""
        with self._lock:
            number = self._by_source.get(source)
            return self._add_source(source, None) if number is None else number

    def sensors(self) -> Mapping[int, Sensor]:
        """Every sensor by its number."""
        with self._lock:
            return dict(self._sensors)

    def sources(self) -> Mapping[int, Source]:
        """Every source by its number."""
        with self._lock:
            return dict(self._sources)

    def reinstate(self, kind: Kind, number: int, words: str) -> None:
        """Put back a number that an archive knows, before new ones are given.

        What is known keeps its newer unit and resolution. Raises ``StoreError`` when the number
        means something else here, or what it means has another number.
        """
        with self._lock:
            if kind == "sensor":
                sensor = sensor_of(words)
                if _free(number, self._sensors, self._by_name.get(sensor.name), words):
                    self._add_sensor(sensor, number)
            else:
                source = source_of(words)
                if _free(number, self._sources, self._by_source.get(source), words):
                    self._add_source(source, number)

    def place(self, number: int, asset: int | None, name: str, timezone: str, more: Json) -> None:
        """Put a sensor under an asset, with its name there, its time zone and its attributes."""
        row = {"asset_id": asset, "name": name, "timezone": timezone, "attributes": more}
        if not self._database.execute(sa.update(Sensors).where(Sensors.id == number).values(row)):
            raise StoreError(f"there is no sensor {number}")

    def _add_sensor(self, sensor: Sensor, number: int | None) -> int:
        row = _described(sensor) | {
            "key": sensor.name, "name": sensor.name, "timezone": "UTC", "attributes": {},
        }  # fmt: skip
        number = self._add(Sensors, row, number)
        self._sensors[number] = sensor
        self._by_name[sensor.name] = number
        return number

    def _add_source(self, source: Source, number: int | None) -> int:
        row: Json = {part: getattr(source, part) or "" for part in _PARTS}
        number = self._add(Sources, row | {"attributes": {}}, number)
        self._sources[number] = source
        self._by_source[source] = number
        return number

    def _add(self, table: type[Sensors | Sources], row: Json, number: int | None) -> int:
        if number is not None:
            row = row | {"id": number}

        def work(connection: sa.Connection) -> int:
            added = connection.execute(sa.insert(table).values(row).returning(table.id))
            given = added.scalar_one()
            if number is not None:
                self._database.numbers_from_here(connection, table)
            return given

        return self._database.write(work)


def _described(sensor: Sensor) -> Json:
    return {
        "unit": sensor.unit,
        "resolution": sensor.resolution,
        "knowable": knowable_json(sensor.knowable),
    }


def _free(
    number: int, taken: Mapping[int, Sensor | Source], present: int | None, words: str
) -> bool:
    """Whether a number can be given to what the words say, which has the number ``present``."""
    if number in taken and present != number:
        here = taken[number].name
        raise StoreError(f"number {number} is {words} in the archive, but {here} in the state")
    if present not in (None, number):
        raise StoreError(f"{words} is number {number} in the archive, but {present} in the state")
    return present is None


def _sensors(connection: sa.Connection) -> dict[int, Sensor]:
    columns = (Sensors.id, Sensors.key, Sensors.unit, Sensors.resolution, Sensors.knowable)
    return {
        number: Sensor(key, unit, resolution, knowable_of(knowable))
        for number, key, unit, resolution, knowable in connection.execute(
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
