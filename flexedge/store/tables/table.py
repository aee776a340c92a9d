"""One table as frozen values by their numbers."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from flexedge.errors import StoreError
from flexedge.store.tables.columns import Model
from flexedge.store.tables.database import Database, as_row
from flexedge.store.tables.kept import Kept, kept_value

_V = TypeVar("_V")


class Table(Generic[_V]):
    """Rows that have a number ``id``, as values whose fields are called like the columns.

    Raises ``StoreError``, also where a constraint of the table says no.
    """

    def __init__(self, database: Database, model: type[Model], kind: type[_V]) -> None:
        self._database = database
        self._model = model
        self._kind = kind
        self._id: sa.ColumnElement[int] = model.__table__.c.id
        self._kept: Kept[Mapping[int, _V]] = Kept(database, self._load, model)

    def add(self, value: _V) -> int:
        """Add a row; returns its number."""
        statement = sa.insert(self._model).values(as_row(value)).returning(self._id)
        return self._database.write(lambda connection: connection.execute(statement).scalar_one())

    def change(self, number: int, value: _V) -> None:
        """Put a value in the place of the one with that number."""
        statement = sa.update(self._model).where(self._id == number).values(as_row(value))
        if not self._database.execute(statement):
            raise StoreError(f"{self._model.__tablename__}: there is no {number}")

    def remove(self, number: int) -> bool:
        """Remove a row; whether it was there."""
        return bool(self._database.execute(sa.delete(self._model).where(self._id == number)))

    def get(self, number: int) -> _V | None:
        """One row; None if there is none."""
        return self._kept.get().get(number)

    def find(self, **equal: Any) -> Mapping[int, _V]:
        """The rows whose columns equal what is given (None: are NULL), by their numbers."""
        number = equal.pop("id", None)
        return {
            known: value
            for known, value in self._kept.get().items()
            if number in (None, known)
            and all(getattr(value, name) == wanted for name, wanted in equal.items())
        }

    def all(self) -> Mapping[int, _V]:
        """Every row by its number."""
        return dict(self._kept.get())

    def _load(self, connection: sa.Connection) -> Mapping[int, _V]:
        rows = connection.execute(sa.select(self._model.__table__).order_by(self._id))
        return {row.id: kept_value(self._kind, row) for row in rows}
