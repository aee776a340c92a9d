"""What is read from tables once and kept in memory until one of them is written to."""

import copy
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Generic, NoReturn, TypeVar

import sqlalchemy as sa

from flexedge.store.tables.columns import Model
from flexedge.store.tables.database import Database

_T = TypeVar("_T")


class Kept(Generic[_T]):
    """What ``load`` makes of some tables. Safe to use from any thread.

    It is as new as if it were read at each call. (On PostgreSQL what other processes write is seen
    some milliseconds later.) Everybody gets the same, so nobody may change it: ``frozen``.
    """

    def __init__(
        self, database: Database, load: Callable[[sa.Connection], _T], *tables: type[Model]
    ) -> None:
        self._database = database
        self._load = load
        self._tables = [table.__tablename__ for table in tables]
        self._kept: tuple[tuple[int, ...], _T] | None = None

    def get(self) -> _T:
        """What is there now. Raises ``StoreError``."""
        version = self._database.versions.of(*self._tables)  # before: better too old than too new
        kept = self._kept
        if kept is None or kept[0] != version:
            kept = self._kept = (version, self._database.read(self._load))
        return kept[1]


def kept_value(kind: type[_T], row: sa.Row[Any]) -> _T:
    """A row as a value whose fields are called like the columns, and that nobody can change."""
    columns = row._mapping  # noqa: SLF001 (SQLAlchemy's public name for it)
    return kind(**{one.name: frozen(columns[one.name]) for one in fields(kind)})  # type: ignore[arg-type]


def frozen(value: Any) -> Any:
    """JSON that refuses to be changed; ``copy.deepcopy`` gives what can be."""
    if isinstance(value, dict):
        return _Object({key: frozen(one) for key, one in value.items()})
    return _Array([frozen(one) for one in value]) if isinstance(value, list) else value


def _refuse(*_arguments: object, **_more: object) -> NoReturn:
    raise TypeError("this is kept for others, too: change a copy of it (copy.deepcopy)")


class _Object(dict[str, Any]):
    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def copy(self) -> dict[str, Any]:
        return dict(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {key: copy.deepcopy(one, memo) for key, one in self.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class _Array(list[Any]):
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def copy(self) -> list[Any]:
        return list(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [copy.deepcopy(one, memo) for one in self]

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)
