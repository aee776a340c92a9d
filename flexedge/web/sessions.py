"""Who is logged in, and links that log in."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from flexedge.store.state import State

IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=30)
TICKET_LIFE = timedelta(hours=24)
_TOUCH_AFTER = timedelta(minutes=5)  # each touch is a write to the disk
_MOST_TICKETS = 100


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Sessions:
    """The owner's sessions: random tokens of 256 bits, kept as hashes in ``State``.

    ``revision`` changes when sessions are ended, so that open streams know to ask again.
    """

    def __init__(self, state: State, now: Callable[[], datetime]) -> None:
        self._state = state
        self._now = now
        self.revision = 0

    def open(self, replaces: str | None = None) -> str:
        """Open a session and give its token; the one it replaces ends."""
        if replaces is not None:
            self.close(replaces)
        token = secrets.token_urlsafe(32)
        self._state.open_session(_hashed(token), self._now())
        return token

    def alive(self, token: str) -> bool:
        """Whether the token's session is open; using it keeps it from falling idle."""
        hashed = _hashed(token)
        times = self._state.session(hashed)
        if times is None:
            return False
        now = self._now()
        created, seen = times
        if now - created > ABSOLUTE or now - seen > IDLE:
            self._state.close_session(hashed)
            return False
        if now - seen > _TOUCH_AFTER:
            self._state.touch_session(hashed, now)
        return True

    def close(self, token: str) -> None:
        """End one session."""
        self._state.close_session(_hashed(token))
        self.revision += 1

    def close_all(self) -> None:
        """End every session."""
        self._state.close_sessions()
        self.revision += 1


class Tickets:
    """Links that log in with one click. In memory only: a restart ends them."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._expiry: dict[str, datetime] = {}

    def issue(self) -> str:
        """A new ticket, valid for 24 h and for any number of uses."""
        now = self._now()
        alive = [(key, end) for key, end in self._expiry.items() if end > now]
        self._expiry = dict(alive[-(_MOST_TICKETS - 1) :])
        ticket = secrets.token_urlsafe(32)
        self._expiry[_hashed(ticket)] = now + TICKET_LIFE
        return ticket

    def valid(self, ticket: str) -> bool:
        """Whether the ticket was issued and has not expired."""
        expiry = self._expiry.get(_hashed(ticket))
        return expiry is not None and self._now() < expiry
