"""What all tables have in common: the types of their columns and how constraints are called.

A moment is kept as an integer of microseconds since 1970 in UTC, a span as one of microseconds;
both are aware ``datetime`` and ``timedelta`` outside.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from flexedge.store.rows import micros, moment

Json = dict[str, Any]
List = list[Any]
_US = timedelta(microseconds=1)
_NO_SEAL = sa.text("seal IS NULL")


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware time, kept as microseconds since 1970."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002, D102
        return None if value is None else micros(value)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002, D102
        return None if value is None else moment(value)


class Span(sa.types.TypeDecorator[timedelta]):
    """A length of time, kept as microseconds."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002, D102
        return None if value is None else value // _US

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> timedelta | None:  # noqa: ARG002, D102
        return None if value is None else value * _US


class Model(DeclarativeBase):
    """What all tables have in common: how types and constraints are written."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
        }
    )
    type_annotation_map = {
        str: sa.Text(),
        float: sa.Double(),
        datetime: Moment(),
        timedelta: Span(),
        Json: sa.JSON(none_as_null=True),
        List: sa.JSON(none_as_null=True),
    }
    seal: Mapped[int | None] = mapped_column(sa.BigInteger, onupdate=sa.null(), sort_order=1)
    """Checksum of the row; a change of it makes it NULL, see ``seals``."""


def unsealed() -> sa.Index:
    """For tables that may grow: finds the rows without a seal."""
    return sa.Index(None, "seal", sqlite_where=_NO_SEAL, postgresql_where=_NO_SEAL)


KEPT_FOR_GOOD = {"sqlite_autoincrement": True}  # a number is not given twice
