"""Who may see what: claim code, password, sessions, tickets, and the slowing down of guesses."""

import secrets
import threading
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from flexedge.errors import RequestError
from flexedge.store.state import State
from flexedge.web import claim
from flexedge.web.passwords import demand, normal
from flexedge.web.sessions import Sessions, Tickets
from flexedge.web.throttle import Throttle

Role = Literal["nobody", "owner", "local"]
CODE_TRIES = 10
_PASSWORD = "web.password"  # noqa: S105 - the name of the fact, not a password
_CODE = "web.claim-code"
_WRONG = "The code or the password is wrong."


class Access:
    """Decides who is who. Safe to use from any thread.

    ``folder`` holds the file ``claim-code`` until somebody claims the gateway; ``names`` are the
    names, beside addresses and those of the local network, by which browsers may call it.
    Checking a password takes about 0.1 s and 19 MiB, one at a time.
    """

    def __init__(
        self,
        state: State,
        folder: Path,
        now: Callable[[], datetime],
        names: Collection[str] = (),
    ) -> None:
        self.names = frozenset(name.lower() for name in names)
        self.local_token = secrets.token_urlsafe(32)
        """For programs on this machine; new with each start."""
        self.sessions = Sessions(state, now)
        self._tickets = Tickets(now)
        self._throttle = Throttle()
        self._state = state
        self._file = folder / "claim-code"
        self._now = now
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._lock = threading.Lock()
        self._code_failures = 0
        with self._lock:
            self._prepare()

    @property
    def claimed(self) -> bool:
        """Whether an owner has set a password."""
        return self._state.fact(_PASSWORD) is not None

    @property
    def claim_code(self) -> str | None:
        """The code that makes its reader the owner; None once claimed."""
        return None if self.claimed else claim.kept(self._file)

    def role(self, session: str | None, bearer: str | None) -> Role:
        """Who shows this session token or this bearer token."""
        if bearer is not None:
            same = secrets.compare_digest(bearer.encode(), self.local_token.encode())
            return "local" if same else "nobody"
        if session is not None and self.sessions.alive(session):
            return "owner"
        return "nobody"

    def claim(self, code: str, password: str, address: str) -> str:
        """Set the first password; gives a session token.

        Raises ``RequestError``: 401 for a wrong code, 409 with an owner already, 422 for a poor
        password, 429 (``TooManyTries``). After ten wrong codes there is a new one.
        """
        demand(password)
        with self._lock:
            if self.claimed:
                raise RequestError(409, "This gateway has an owner already.")
            self._throttle.check(address, self._now())
            if not self._verify(_CODE, claim.plain(code)):
                self._wrong_code(address)
            self._set_password(password)
            self._throttle.succeeded(address)
            return self.sessions.open()

    def login(self, password: str, address: str, session: str | None = None) -> str:
        """Open a session, in place of the one there was; gives its token.

        Raises ``RequestError``: 401 for a wrong password, 429 (``TooManyTries``).
        """
        self._check(password, address)
        return self.sessions.open(replaces=session)

    def change_password(self, old: str | None, new: str, address: str) -> str:
        """Set a new password and end every session; gives the token of a new one.

        ``old`` None leaves its check out: for programs on this machine. Raises as ``login``, and
        422 for a poor password.
        """
        demand(new)
        if old is not None:
            self._check(old, address)
        with self._lock:
            self._set_password(new)
            return self.sessions.open()

    def issue_ticket(self) -> str:
        """A secret for a link that logs in, also before there is a password."""
        with self._lock:
            return self._tickets.issue()

    def redeem(self, ticket: str, session: str | None = None) -> str:
        """Open a session with a ticket. Raises ``RequestError`` 401 if it is not valid."""
        if not self._tickets.valid(ticket):
            raise RequestError(401, "This link has expired; ask for a new one.")
        return self.sessions.open(replaces=session)

    def _check(self, password: str, address: str) -> None:
        with self._lock:
            now = self._now()
            self._throttle.check(address, now)
            if not self._verify(_PASSWORD, normal(password)):
                self._throttle.failed(address, now)
                raise RequestError(401, _WRONG)
            self._throttle.succeeded(address)

    def _verify(self, fact: str, secret: str) -> bool:
        hashed = self._state.fact(fact)
        if hashed is None:
            return False
        try:
            return self._hasher.verify(hashed, secret)
        except (VerificationError, InvalidHashError):
            return False

    def _set_password(self, password: str) -> None:
        self._state.remember(_PASSWORD, self._hasher.hash(normal(password)))
        self.sessions.close_all()
        self._state.forget(_CODE)
        self._file.unlink(missing_ok=True)

    def _prepare(self) -> None:
        if self.claimed:
            self._file.unlink(missing_ok=True)
        elif self._state.fact(_CODE) is None or claim.kept(self._file) is None:
            self._renew_code()

    def _renew_code(self) -> None:
        code = claim.new_code()
        self._state.forget(_CODE)  # a crash from here on leaves no code: the next start makes one
        claim.keep(self._file, code)
        self._state.remember(_CODE, self._hasher.hash(claim.plain(code)))
        self._code_failures = 0

    def _wrong_code(self, address: str) -> None:
        self._throttle.failed(address, self._now())
        self._code_failures += 1
        if self._code_failures >= CODE_TRIES:
            self._renew_code()
        raise RequestError(401, _WRONG)
