"""Who may log in, and what programs show instead of a password."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from flexedge.errors import StoreError
from flexedge.store.tables.columns import List
from flexedge.store.tables.database import Database, as_row, as_value
from flexedge.store.tables.models import Sources, Tokens, Users


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a name, and a password by its hash (None: cannot log in with one)."""

    name: str
    account_id: int
    created: datetime
    email: str | None = None
    """In lower case. None: a service account, which has tokens only."""
    password_hash: str | None = None
    roles: List = field(default_factory=list)
    active: bool = True
    timezone: str = "UTC"
    seen: datetime | None = None
    logged_in: datetime | None = None
    logins: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """What a program may do, in whose name and until when (None: no end)."""

    user_id: int
    kind: str
    """ "access" and "refresh" come of a log-in, a "key" is made by hand."""
    name: str
    scopes: List
    created: datetime
    expires: datetime | None = None
    used: datetime | None = None


class People:
    """Users and their tokens. Raises ``StoreError``, also for a name or address that is taken."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, user: User) -> int:
        """Add a user; returns the number."""
        statement = sa.insert(Users).values(as_row(user)).returning(Users.id)
        return self._database.write(lambda connection: connection.execute(statement).scalar_one())

    def change(self, number: int, user: User) -> None:
        """Put a user in the place of the one with that number."""
        statement = sa.update(Users).where(Users.id == number).values(as_row(user))
        if not self._database.execute(statement):
            raise StoreError(f"there is no user {number}")

    def remove(self, number: int) -> None:
        """Remove a user, and with them their tokens."""

        def work(connection: sa.Connection) -> None:
            # Here, not by the foreign key: what that changes keeps its old seal.
            connection.execute(
                sa.update(Sources).where(Sources.user_id == number).values(user_id=None)
            )
            connection.execute(sa.delete(Users).where(Users.id == number))

        self._database.write(work)

    def all(self) -> Mapping[int, User]:
        """Every user by number."""
        query = sa.select(Users.__table__).order_by(Users.id)
        rows = self._database.read(lambda connection: connection.execute(query).all())
        return {row.id: as_value(User, row) for row in rows}

    def issue(self, token_hash: str, token: Token) -> int:
        """Keep a token by its hash; returns its number."""
        row = as_row(token) | {"token_hash": token_hash}
        statement = sa.insert(Tokens).values(row).returning(Tokens.id)
        return self._database.write(lambda connection: connection.execute(statement).scalar_one())

    def token(self, token_hash: str, now: datetime) -> Token | None:
        """The token with that hash; None if there is none, it has ended, or its user must not."""
        query = (
            sa.select(Tokens.__table__)
            .join(Users, Users.id == Tokens.user_id)
            .where(Tokens.token_hash == token_hash, Users.active)
            .where(sa.or_(Tokens.expires.is_(None), Tokens.expires > now))
        )
        row = self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else as_value(Token, row)

    def tokens(self) -> Mapping[int, Token]:
        """Every token by its number, ended ones, too."""
        query = sa.select(Tokens.__table__).order_by(Tokens.id)
        rows = self._database.read(lambda connection: connection.execute(query).all())
        return {row.id: as_value(Token, row) for row in rows}

    def revoke(self, number: int) -> None:
        """End a token."""
        self._database.execute(sa.delete(Tokens).where(Tokens.id == number))
