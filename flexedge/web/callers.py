"""Who shows a session or a token, with all that says what they may do."""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from flexedge.domain.rights import NOBODY, SCOPES, Caller
from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.users import Token
from flexedge.web.sessions import TOUCH_AFTER, Sessions, hash_of

OWNER: Final = Caller("owner", name="owner")
LOCAL: Final = Caller("local", name="local program")
_SHOWN_BY_PROGRAMS: Final = ("access", "key")
_MOST_KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class _Kept:
    caller: Caller
    changes: int
    until: datetime


class Callers:
    """Finds callers. Safe to use from any thread.

    What was found is taken again until something in the state is written, so that a change of a
    user or an account is seen at once.
    """

    def __init__(self, state: State, sessions: Sessions, now: Callable[[], datetime]) -> None:
        self._state = state
        self._sessions = sessions
        self._now = now
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def of_session(self, token: str) -> Caller:
        """Who is logged in with this session token."""
        whose = self._sessions.whose(token)
        if whose is None:
            return NOBODY
        (user_id,) = whose
        return OWNER if user_id is None else self._user(user_id)

    def of_token(self, shown: str) -> Caller:
        """Whose access token or key this is; that it was used is noted now and then."""
        token_hash, changes, now = hash_of(shown), self._state.changes, self._now()
        kept = self._kept.get(token_hash)
        if kept is not None and kept.changes == changes and now < kept.until:
            return kept.caller
        found = self._state.users.shown(token_hash)
        if found is None:
            return NOBODY
        number, token = found
        if token.kind not in _SHOWN_BY_PROGRAMS or (token.expires and token.expires <= now):
            return NOBODY
        caller = self._user(token.user_id)
        if not caller.known:
            return NOBODY
        caller = replace(caller, token_id=number, scopes=SCOPES.intersection(token.scopes))
        self._keep(token_hash, _Kept(caller, changes, self._note(number, token, now)))
        return caller

    def _note(self, number: int, token: Token, now: datetime) -> datetime:
        """Note the use of a token, if that is due; until when it need not be looked at."""
        used = token.used
        if used is None or not now - used < TOUCH_AFTER:
            used = now
            with suppress(StoreError):  # a disk that takes no writes keeps nobody out
                self._state.users.note_use(number, token, now)
        until = used + TOUCH_AFTER
        return until if token.expires is None else min(until, token.expires)

    def _user(self, number: int) -> Caller:
        user = self._state.users.get(number)
        account = None if user is None else self._state.accounts.get(user.account_id)
        if user is None or account is None or not user.active:
            return NOBODY
        return Caller(
            "user",
            user_id=number,
            name=user.name,
            account_id=user.account_id,
            roles=frozenset(user.roles),
            account_roles=frozenset(account.roles),
        )

    def _keep(self, token_hash: str, kept: _Kept) -> None:
        self._kept[token_hash] = kept
        with suppress(KeyError):  # another thread was faster
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
