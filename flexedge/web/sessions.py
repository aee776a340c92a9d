"""Who is logged in, and links that log in."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from flexedge.store.state import State

IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=30)
TICKET_LIFE = timedelta(hours=24)
TOUCH_AFTER = timedelta(minutes=5)
"""So often at most it is noted that somebody is there: each time is a write to the disk."""
_MOST_TICKETS = 100


def hash_of(token: str) -> str:
    """How a token is kept and found."""
    return hashlib.sha256(token.encode()).hexdigest()


class Sessions:
    """Who is logged in to the page: random tokens of 256 bits, kept as hashes in ``State``.

    ``revision`` changes when sessions are ended, so that open streams know to ask again.
    """

    def __init__(self, state: State, now: Callable[[], datetime]) -> None:
        self._state = state
        self._now = now
        self.revision = 0

    def open(self, replaces: str | None = None, user_id: int | None = None) -> str:
        """Open a session of a user, or of the owner, and give its token; the one it replaces ends.

        Those that fell idle are forgotten.
        """
        if replaces is not None:
            self.close(replaces)
        token, now = secrets.token_urlsafe(32), self._now()
        self._state.open_session(hash_of(token), now, user_id, now - IDLE)
        return token

    def alive(self, token: str) -> bool:
        """Whether the token's session is open; using it keeps it from falling idle."""
        return self.whose(token) is not None

    def whose(self, token: str) -> tuple[int | None] | None:
        """Whose an open session is, a user's or (None) the owner's; None where it is not open."""
        hashed = hash_of(token)
        found = self._state.session(hashed)
        if found is None:
            return None
        now = self._now()
        created, seen, user_id = found
        if now - created > ABSOLUTE or now - seen > IDLE:
            self._state.close_session(hashed)
            return None
        if now - seen > TOUCH_AFTER:
            self._state.touch_session(hashed, now)
            if user_id is not None:
                self._state.users.note_seen(user_id, now)
        return (user_id,)

    def close(self, token: str) -> None:
        """End one session."""
        self._state.close_session(hash_of(token))
        self.revision += 1

    def close_all(self, user_id: int | None = None) -> None:
        """End every session of a user, or (None) of the owner."""
        self._state.close_sessions(user_id)
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
        self._expiry[hash_of(ticket)] = now + TICKET_LIFE
        return ticket

    def valid(self, ticket: str) -> bool:
        """Whether the ticket was issued and has not expired."""
        expiry = self._expiry.get(hash_of(ticket))
        return expiry is not None and self._now() < expiry
