"""What programs show instead of a password: access tokens, refresh tokens, keys, reset codes.

Each is random (256 bits), is told once and kept as a hash. The first letters say what it is, so
that a program that looks for secrets in published files knows one.
"""

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flexedge.domain.rights import SCOPES
from flexedge.errors import RequestError
from flexedge.store.state import State
from flexedge.store.tables.users import Token
from flexedge.web.sessions import hash_of

ACCESS_LIFE: Final = timedelta(hours=6)
REFRESH_LIFE: Final = timedelta(days=30)
RESET_LIFE: Final = timedelta(hours=24)
MOST_KEYS: Final = 100
"""Of one user."""
PREFIXES: Final = {"access": "fxa_", "refresh": "fxr_", "key": "fxk_", "reset": "fxp_"}
_LIVES: Final = {"access": ACCESS_LIFE, "refresh": REFRESH_LIFE, "reset": RESET_LIFE}
_ENDED: Final = "This refresh token is not valid, or not any more; log in again."


@dataclass(frozen=True, slots=True)
class Pair:
    """What a log-in gives."""

    user_id: int
    access: str
    refresh: str | None = None


class Tokens:
    """Issues and ends tokens. Safe to use from any thread. Raises ``StoreError``."""

    def __init__(self, state: State, now: Callable[[], datetime]) -> None:
        self._users = state.users
        self._now = now

    def log_in(self, user_id: int, kinds: Collection[str] = ("access",)) -> Pair:
        """An access token for a user, and a refresh token where ``kinds`` says so."""
        return self._pair(user_id, f"log-in {secrets.token_hex(8)}", kinds)

    def refresh(self, shown: str) -> Pair:
        """New tokens for a refresh token, which cannot be used again.

        One that is used twice was stolen: all that came of its log-in ends. Raises
        ``RequestError`` 401.
        """
        found = self._users.shown(hash_of(shown))
        if found is None or found[1].kind not in ("refresh", "spent") or self._over(found[1]):
            raise RequestError(401, _ENDED)
        number, token = found
        user = self._users.get(token.user_id)
        if not self._users.spend(number) or user is None or not user.active:
            self._users.revoke_all(token.user_id, name=token.name)
            raise RequestError(401, _ENDED)
        return self._pair(token.user_id, token.name, ("access", "refresh"))

    def key(self, token: Token) -> tuple[int, str]:
        """Keep a key; its number and what to show. Raises ``RequestError`` 409 beyond 100."""
        mine = [t for t in self._users.tokens().values() if t.user_id == token.user_id]
        keys = [t for t in mine if t.kind == "key" and not self._over(t)]
        if len(keys) >= MOST_KEYS:
            raise RequestError(409, f"There are {MOST_KEYS} keys already; delete one first.")
        shown = _new(token.kind)
        (number,) = self._users.issue_all({hash_of(shown): token}, self._now())
        return number, shown

    def reset(self, user_id: int) -> str:
        """A code with which a user can choose a password, once; the codes before it end."""
        self._users.revoke_all(user_id, kind="reset")
        shown = _new("reset")
        token = self._token(user_id, "reset", "password reset")
        self._users.issue_all({hash_of(shown): token}, self._now())
        return shown

    def of_reset(self, code: str) -> int | None:
        """Whose password may be chosen with this code; None where it is none, or not any more."""
        found = self._users.shown(hash_of(code))
        if found is None or found[1].kind != "reset" or self._over(found[1]):
            return None
        return found[1].user_id

    def end(self, shown: str) -> None:
        """End a token, and all that came of the same log-in."""
        found = self._users.shown(hash_of(shown))
        if found is not None and found[1].kind == "key":
            self._users.revoke(found[0])
        elif found is not None:
            self._users.revoke_all(found[1].user_id, name=found[1].name)

    def end_all(self, user_id: int) -> None:
        """End every token of a user."""
        self._users.revoke_all(user_id)

    def _pair(self, user_id: int, family: str, kinds: Collection[str]) -> Pair:
        shown = {kind: _new(kind) for kind in kinds}
        rows = {hash_of(text): self._token(user_id, kind, family) for kind, text in shown.items()}
        self._users.issue_all(rows, self._now())
        return Pair(user_id, shown["access"], shown.get("refresh"))

    def _token(self, user_id: int, kind: str, name: str) -> Token:
        now = self._now()
        return Token(user_id, kind, name, sorted(SCOPES), now, now + _LIVES[kind])

    def _over(self, token: Token) -> bool:
        return token.expires is not None and token.expires <= self._now()


def _new(kind: str) -> str:
    return PREFIXES[kind] + secrets.token_urlsafe(32)
