"""The relational state beside the time series: SQLite through SQLAlchemy.

Small things that must survive a power cut: who owns the gateway, who is logged in, which control
points have been taken and not given back.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from flexedge.errors import StoreError

_T = TypeVar("_T")
_METADATA = sa.MetaData()
_FACTS = sa.Table(
    "facts",
    _METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
_SESSIONS = sa.Table(
    "sessions",
    _METADATA,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("seen", sa.Float, nullable=False),
)
_HELD = sa.Table(
    "held",
    _METADATA,
    sa.Column("control", sa.Text, primary_key=True),
    sa.Column("since", sa.Float, nullable=False),
)


def _durable(connection: Any, _record: ConnectionPoolEntry) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


class State:
    """The state of one gateway in one file. Every write is on disk when the call returns.

    Safe to use from any thread. Raises ``StoreError`` when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = sa.create_engine(f"sqlite:///{path}")
        sa.event.listen(self._engine, "connect", _durable)
        self._run(_METADATA.create_all)
        path.chmod(0o600)

    def _run(self, work: Callable[[sa.Connection], _T]) -> _T:
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise StoreError(f"{self._path}: {error}") from error

    def fact(self, name: str) -> str | None:
        """A single remembered value."""
        query = sa.select(_FACTS.c.value).where(_FACTS.c.name == name)
        return self._run(lambda connection: connection.scalar(query))

    def remember(self, name: str, value: str) -> None:
        """Remember a single value, in place of what was there."""
        statement = insert(_FACTS).values(name=name, value=value)
        replaced = statement.on_conflict_do_update(
            index_elements=[_FACTS.c.name], set_={"value": value}
        )
        self._run(lambda connection: connection.execute(replaced))

    def forget(self, name: str) -> None:
        """Forget a single value."""
        self._run(
            lambda connection: connection.execute(sa.delete(_FACTS).where(_FACTS.c.name == name))
        )

    def open_session(self, token_hash: str, now: datetime) -> None:
        """Keep a new session of the owner, by the hash of its token."""
        row = {"token_hash": token_hash, "created": now.timestamp(), "seen": now.timestamp()}
        self._run(lambda connection: connection.execute(sa.insert(_SESSIONS).values(row)))

    def session(self, token_hash: str) -> tuple[datetime, datetime] | None:
        """When a session was opened and last seen; None if there is none."""
        query = sa.select(_SESSIONS.c.created, _SESSIONS.c.seen).where(
            _SESSIONS.c.token_hash == token_hash
        )
        row = self._run(lambda connection: connection.execute(query).first())
        if row is None:
            return None
        return datetime.fromtimestamp(row.created, UTC), datetime.fromtimestamp(row.seen, UTC)

    def touch_session(self, token_hash: str, now: datetime) -> None:
        """Note that a session was used."""
        statement = (
            sa.update(_SESSIONS)
            .where(_SESSIONS.c.token_hash == token_hash)
            .values(seen=now.timestamp())
        )
        self._run(lambda connection: connection.execute(statement))

    def close_session(self, token_hash: str) -> None:
        """End one session."""
        statement = sa.delete(_SESSIONS).where(_SESSIONS.c.token_hash == token_hash)
        self._run(lambda connection: connection.execute(statement))

    def close_sessions(self) -> None:
        """End every session: after a change of password."""
        self._run(lambda connection: connection.execute(sa.delete(_SESSIONS)))

    def hold(self, control: str, now: datetime) -> None:
        """Note, before the first write, that a control point is taken ("battery.battery.power")."""
        statement = insert(_HELD).values(control=control, since=now.timestamp())
        self._run(
            lambda connection: connection.execute(
                statement.on_conflict_do_nothing(index_elements=[_HELD.c.control])
            )
        )

    def let_go(self, control: str) -> None:
        """Note, after the release, that a control point is given back."""
        statement = sa.delete(_HELD).where(_HELD.c.control == control)
        self._run(lambda connection: connection.execute(statement))

    def held(self) -> dict[str, datetime]:
        """Every control point that was taken and not given back, and since when."""
        rows = self._run(lambda connection: connection.execute(sa.select(_HELD)).all())
        return {row.control: datetime.fromtimestamp(row.since, UTC) for row in rows}

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()
