"""Sensors where they are: on which asset, under which name there, in which time zone."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

import sqlalchemy as sa

from flexedge.domain.asset import Knowable, Sensor
from flexedge.errors import StoreError
from flexedge.store.tables.columns import Json
from flexedge.store.tables.database import Database
from flexedge.store.tables.kept import Kept, frozen
from flexedge.store.tables.models import Annotated, Sensors
from flexedge.store.tables.registry import Registry, delete
from flexedge.store.words import knowable_of


@dataclass(frozen=True, slots=True)
class PlacedSensor:
    """A sensor as the API knows it."""

    key: str
    """What the time series are called by, for good; ``Sensor.name`` to the store."""
    asset_id: int
    name: str
    """What it is called beside the other sensors of its asset."""
    unit: str
    resolution: timedelta
    """Zero: instants."""
    timezone: str
    knowable: Knowable | None = None
    attributes: Json = field(default_factory=dict)
    turns_at: float | None = None
    """The value at which a counter shows 0 again, where that is known."""

    @property
    def sensor(self) -> Sensor:
        """As the time series know it."""
        return Sensor(self.key, self.unit, self.resolution, self.knowable, self.turns_at)


class PlacedSensors:
    """Finds the sensors that have an asset. Raises ``StoreError``.

    They get their number by ``Beliefs.register`` and their place by ``place``.
    """

    def __init__(self, database: Database, registry: Registry) -> None:
        self._database = database
        self._registry = registry
        self._kept: Kept[_Found] = Kept(database, _load, Sensors)

    def place(self, number: int, asset_id: int, name: str, timezone: str, attributes: Json) -> None:
        """Put a sensor under an asset, or change its name, time zone and attributes there."""
        row = {"asset_id": asset_id, "name": name, "timezone": timezone, "attributes": attributes}
        there = sa.update(Sensors).where(Sensors.id == number, Sensors.deleted.is_(None))
        if not self._database.execute(there.values(row)):
            raise StoreError(f"there is no sensor {number}")

    def remove(self, number: int, now: datetime) -> None:
        """Take a sensor from its asset for good, and what was said about it with it.

        Its rows are for ``Beliefs.delete``. Its key can be used again, by another sensor with
        another number.
        """
        remarks = (Annotated.thing == "sensor", Annotated.thing_id == number)

        def work(connection: sa.Connection) -> None:
            delete(connection, Sensors.id == number, now)
            connection.execute(sa.delete(Annotated).where(*remarks))

        with self._registry.deleting():
            self._database.write(work)

    def get(self, number: int) -> PlacedSensor | None:
        """One sensor; None if there is none, or none that has an asset."""
        return self._kept.get().every.get(number)

    def of(self, *assets: int) -> Mapping[int, PlacedSensor]:
        """The sensors of some assets, by number."""
        found = self._kept.get()
        return found.some(number for asset in assets for number in found.of.get(asset, ()))

    def names(self, assets: Collection[int]) -> Mapping[int, list[tuple[int, str]]]:
        """Numbers and names of the sensors of some assets, by the asset's number."""
        found = self._kept.get()
        return {
            asset: [(number, found.every[number].name) for number in found.of[asset]]
            for asset in assets
            if asset in found.of
        }

    def some(self, numbers: Collection[int]) -> Mapping[int, PlacedSensor]:
        """Some sensors by number; those that do not exist are left out."""
        return self._kept.get().some(numbers)

    def all(self) -> Mapping[int, PlacedSensor]:
        """Every sensor that has an asset, by number."""
        return dict(self._kept.get().every)


@dataclass(frozen=True, slots=True)
class _Found:
    every: Mapping[int, PlacedSensor]
    of: Mapping[int, list[int]]
    """The numbers of an asset's sensors."""

    def some(self, numbers: Iterable[int]) -> Mapping[int, PlacedSensor]:
        return {n: self.every[n] for n in sorted(set(numbers)) if n in self.every}


_COLUMNS = [Sensors.__table__.c[one] for one in ("id", *(one.name for one in fields(PlacedSensor)))]
"""In the order of the fields."""


def _load(connection: sa.Connection) -> _Found:
    query = sa.select(*_COLUMNS).where(Sensors.asset_id.is_not(None)).order_by(Sensors.id)
    every: dict[int, PlacedSensor] = {}
    of: dict[int, list[int]] = {}
    for number, key, asset, name, unit, step, zone, known, rest, top in connection.execute(query):
        knowable, own = knowable_of(known), frozen(rest)
        every[number] = PlacedSensor(key, asset, name, unit, step, zone, knowable, own, top)
        of.setdefault(asset, []).append(number)
    return _Found(every, of)
