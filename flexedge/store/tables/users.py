"""Who may log in, and what programs show instead of a password."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from flexedge.errors import StoreError
from flexedge.store.tables.columns import List
from flexedge.store.tables.database import Database, as_row, as_value
from flexedge.store.tables.kept import Kept, kept_value
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
    """ "access" and "refresh" come of a log-in, a "key" is made by hand. A refresh token that was
    used is "spent"; a "reset" lets its holder choose a password, once."""
    name: str
    """Of a key; what comes of one log-in has one name."""
    scopes: List
    created: datetime
    expires: datetime | None = None
    used: datetime | None = None


class People:
    """Users and their tokens. Raises ``StoreError``, also for a name or address that is taken."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._users: Kept[Mapping[int, User]] = Kept(database, _load, Users)

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

    def get(self, number: int) -> User | None:
        """One user; None if there is none."""
        return self._users.get().get(number)

    def find(self, **equal: Any) -> Mapping[int, User]:
        """The users whose columns equal what is given, by their numbers."""
        return {
            number: user
            for number, user in self._users.get().items()
            if all(getattr(user, name) == wanted for name, wanted in equal.items())
        }

    def all(self) -> Mapping[int, User]:
        """Every user by number."""
        return dict(self._users.get())

    def issue(self, token_hash: str, token: Token) -> int:
        """Keep a token by its hash; returns its number."""
        row = as_row(token) | {"token_hash": token_hash}
        statement = sa.insert(Tokens).values(row).returning(Tokens.id)
        return self._database.write(lambda connection: connection.execute(statement).scalar_one())

    def issue_all(self, tokens: Mapping[str, Token], now: datetime) -> list[int]:
        """Keep tokens by their hashes, all or none; those that have expired are forgotten."""

        def work(connection: sa.Connection) -> list[int]:
            connection.execute(sa.delete(Tokens).where(Tokens.expires <= now))
            return [
                connection.execute(
                    sa.insert(Tokens)
                    .values(as_row(token) | {"token_hash": token_hash})
                    .returning(Tokens.id)
                ).scalar_one()
                for token_hash, token in tokens.items()
            ]

        return self._database.write(work)

    def shown(self, token_hash: str) -> tuple[int, Token] | None:
        """The token with that hash and its number, ended or not; None if there is none."""
        query = sa.select(Tokens.__table__).where(Tokens.token_hash == token_hash)
        row = self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else (row.id, as_value(Token, row))

    def spend(self, number: int) -> bool:
        """Note that a refresh token was used; whether nobody had used it before."""
        fresh = sa.update(Tokens).where(Tokens.id == number, Tokens.kind == "refresh")
        return bool(self._database.execute(fresh.values(kind="spent")))

    def note_use(self, number: int, token: Token, now: datetime) -> None:
        """Note that a token was used, and with it its user."""

        def work(connection: sa.Connection) -> None:
            connection.execute(sa.update(Tokens).where(Tokens.id == number).values(used=now))
            connection.execute(sa.update(Users).where(Users.id == token.user_id).values(seen=now))

        self._database.write(work)

    def note_login(self, number: int, now: datetime) -> None:
        """Note that a user has logged in."""
        login = {"logged_in": now, "seen": now, "logins": Users.logins + 1}
        self._database.execute(sa.update(Users).where(Users.id == number).values(login))

    def set_password(self, number: int, password_hash: str | None) -> None:
        """Put the hash of a user's new password in place; None: they cannot log in with one."""
        new = sa.update(Users).where(Users.id == number).values(password_hash=password_hash)
        self._database.execute(new)

    def note_seen(self, number: int, now: datetime) -> None:
        """Note that a user is there."""
        self._database.execute(sa.update(Users).where(Users.id == number).values(seen=now))

    def revoke_all(self, user_id: int, **equal: Any) -> int:
        """End the tokens of a user whose columns equal what is given; how many that were."""
        columns = Tokens.__table__.c
        wanted = [columns[name] == value for name, value in equal.items()]
        return self._database.execute(sa.delete(Tokens).where(Tokens.user_id == user_id, *wanted))

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


def _load(connection: sa.Connection) -> Mapping[int, User]:
    rows = connection.execute(sa.select(Users.__table__).order_by(Users.id))
    return {row.id: kept_value(User, row) for row in rows}
