"""The tree of assets: what is on site, and how it may be used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from flexedge.errors import StoreError
from flexedge.store.tables.columns import Json, List
from flexedge.store.tables.database import Database, as_row
from flexedge.store.tables.kept import Kept, kept_value
from flexedge.store.tables.models import Annotated, Assets, Secrets, Sensors
from flexedge.store.tables.registry import Registry, delete


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset as FlexMeasures has it; ``kind`` is the name of its type there ("battery")."""

    name: str
    kind: str
    parent_id: int | None = None
    account_id: int | None = None
    """None: public."""
    defined_as: str | None = None
    """What the site file calls it, where that defines it: it cannot be deleted then."""
    external_id: str | None = None
    description: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    attributes: Json = field(default_factory=dict)
    flex_model: Json = field(default_factory=dict)
    flex_context: Json = field(default_factory=dict)
    sensors_to_show: List = field(default_factory=list)
    sensors_to_show_as_kpis: List = field(default_factory=list)


class AssetTree:
    """Adds, changes and finds assets. Raises ``StoreError``, also for a name taken by a sibling."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._database = database
        self._registry = registry
        self._kept: Kept[Mapping[int, Asset]] = Kept(database, _load, Assets)

    def add(self, asset: Asset) -> int:
        """Add an asset; returns its number."""
        statement = sa.insert(Assets).values(as_row(asset)).returning(Assets.id)
        return self._database.write(lambda connection: connection.execute(statement).scalar_one())

    def change(self, number: int, asset: Asset) -> None:
        """Put an asset in the place of the one with that number."""
        statement = sa.update(Assets).where(Assets.id == number).values(as_row(asset))
        if not self._database.execute(statement):
            raise StoreError(f"there is no asset {number}")

    def remove(self, number: int, now: datetime) -> None:
        """Remove an asset, all below it, and what was said and kept secret about these.

        Their sensors count as deleted, without an asset.
        """
        below = sa.select(Assets.id).where(Assets.id == number).cte(recursive=True)
        below = below.union_all(sa.select(Assets.id).join(below, Assets.parent_id == below.c.id))
        inside = Sensors.asset_id.in_(sa.select(below.c.id))

        def work(connection: sa.Connection) -> None:
            # Here, not by the foreign key: what that changes keeps its old seal.
            assets = connection.scalars(sa.select(below.c.id)).all()
            sensors = delete(connection, inside, now)
            connection.execute(sa.delete(Assets).where(Assets.id == number))
            for table in (Annotated, Secrets):
                for thing, numbers in (("asset", assets), ("sensor", sensors)):
                    about = (table.thing == thing, table.thing_id.in_(numbers))
                    connection.execute(sa.delete(table).where(*about))

        with self._registry.deleting():
            self._database.write(work)

    def get(self, number: int) -> Asset | None:
        """One asset; None if there is none."""
        return self._kept.get().get(number)

    def all(self) -> Mapping[int, Asset]:
        """Every asset by its number."""
        return dict(self._kept.get())

    def children(self, parents: Iterable[int | None]) -> Mapping[int, Asset]:
        """The assets right below some others, by number; None: those below no other."""
        numbers = set(parents)
        return {n: one for n, one in self._kept.get().items() if one.parent_id in numbers}

    def named(self, name: str) -> Mapping[int, Asset]:
        """The assets with that name, wherever they are, by number."""
        return {n: one for n, one in self._kept.get().items() if one.name == name}

    def external(self, external_id: str) -> Mapping[int, Asset]:
        """The asset that another system calls so, by its number; none, or one."""
        return {n: one for n, one in self._kept.get().items() if one.external_id == external_id}


def _load(connection: sa.Connection) -> Mapping[int, Asset]:
    rows = connection.execute(sa.select(Assets.__table__).order_by(Assets.id))
    return {row.id: kept_value(Asset, row) for row in rows}
