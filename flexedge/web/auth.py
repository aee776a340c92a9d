"""Who is who: claim code, passwords, sessions, tokens, tickets, and the slowing down of guesses."""

import secrets
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal

from flexedge.domain.rights import NOBODY, Caller, Thing
from flexedge.errors import RequestError
from flexedge.store.state import State
from flexedge.web import claim
from flexedge.web.callers import LOCAL, Callers
from flexedge.web.passwords import demand, fits, hashed, normal
from flexedge.web.sessions import Sessions, Tickets
from flexedge.web.throttle import Throttle
from flexedge.web.tokens import Pair, Tokens
from flexedge.web.turnstile import Gate

Role = Literal["nobody", "user", "owner", "local"]
CODE_TRIES = 10
_PASSWORD = "web.password"  # noqa: S105 - the name of the fact, not a password
_CODE = "web.claim-code"
_FAILURES = "web.failures"
_WRONG = "The code or the password is wrong."
_SITES_ACCOUNT = 1


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
        self.tokens = Tokens(state, now)
        self.changing = threading.RLock()
        """Held by who reads users and accounts in order to change them."""
        self._callers = Callers(state, self.sessions, now)
        self._tickets = Tickets(now)
        self._throttle = Throttle(state.fact(_FAILURES))
        self._state = state
        self._file = folder / "claim-code"
        self._now = now
        self._gate = Gate()
        self._code_failures = 0
        with self._gate.through():
            self._prepare()

    @property
    def claimed(self) -> bool:
        """Whether an owner has set a password."""
        return self._state.fact(_PASSWORD) is not None

    @property
    def claim_code(self) -> str | None:
        """The code that makes its reader the owner; None once claimed."""
        return None if self.claimed else claim.kept(self._file)

    @property
    def gateway(self) -> Thing:
        """The gateway as a thing: it belongs to the first account, which is the site's."""
        account = self._state.accounts.get(_SITES_ACCOUNT)
        consultancy = None if account is None else account.consultancy_account_id
        return Thing("gateway", _SITES_ACCOUNT, consultancy)

    def caller(self, authorization: str | None, session: str | None) -> Caller:
        """Who shows this ``Authorization`` header, with "Bearer" or without, or this session token.

        A header that is not good is not made so by a session.
        """
        if authorization is not None:
            shown = bare(authorization)
            if secrets.compare_digest(shown.encode(), self.local_token.encode()):
                return LOCAL
            return self._callers.of_token(shown)
        return NOBODY if session is None else self._callers.of_session(session)

    def role(self, session: str | None, authorization: str | None) -> Role:
        """What kind of caller that is."""
        return self.caller(authorization, session).kind

    def claim(self, code: str, password: str, address: str) -> str:
        """Set the first password; gives a session token.

        Raises ``RequestError``: 401 for a wrong code, 409 with an owner already, 422 for a poor
        password, 429 (``TooManyTries``). After ten wrong codes there is a new one.
        """
        demand(password)
        with self._gate.through():
            if self.claimed:
                raise RequestError(409, "This gateway has an owner already.")
            with self._counted(address):
                if not fits(self._state.fact(_CODE), claim.plain(code)):
                    self._wrong_code()
            self._set_password(password)
            return self.sessions.open()

    def login(
        self, password: str, address: str, session: str | None = None, email: str | None = None
    ) -> str:
        """Open a session of the owner or, with ``email``, of a user, in place of the one there was.

        Gives its token. Raises ``RequestError``: 401 for a wrong password, 429 (``TooManyTries``),
        503 where too many wait for their turn.
        """
        with self._gate.through():
            user_id = None
            if email is None:
                self._check_owner(password, address)
            else:
                user_id = self._check_user(email, password, address)
                self._state.users.note_login(user_id, self._now())
            return self.sessions.open(replaces=session, user_id=user_id)

    def log_in(
        self, email: str, password: str, address: str, kinds: Collection[str] = ("access",)
    ) -> Pair:
        """Tokens for a user. Raises as ``login``; takes as long for users that there are not."""
        with self._gate.through():
            return self.tokens.log_in(self._check_user(email, password, address), kinds)

    def change_password(self, old: str | None, new: str, address: str) -> str:
        """Set a new password of the owner and end all their sessions; gives the token of a new one.

        ``old`` None leaves its check out: for programs on this machine. Raises as ``login``, and
        422 for a poor password.
        """
        demand(new)
        with self._gate.through():
            if old is not None:
                self._check_owner(old, address)
            self._set_password(new)
            return self.sessions.open()

    def change_users_password(self, user_id: int, old: str, new: str, address: str) -> str:
        """The same for a user; all their tokens, and keys made by hand, end, too."""
        demand(new)
        with self._gate.through():
            user = self._state.users.get(user_id)
            self._check_user((user and user.email) or "", old, address)
            self.set_users_password(user_id, new)
            return self.sessions.open(user_id=user_id)

    def choose_password(self, code: str, new: str, address: str) -> int:
        """Set the password of the user who was given this code; gives their number.

        The code, and all that could be shown before, ends. Raises ``RequestError``: 401 for a code
        that is not valid, 422 for a poor password, 429 (``TooManyTries``).
        """
        demand(new)
        with self._gate.through():
            with self._counted(address):
                user_id = self.tokens.of_reset(code)
                if user_id is None:
                    raise RequestError(401, "This code is not valid, or not any more.")
            self.set_users_password(user_id, new)
            return user_id

    def reset_password(self, user_id: int) -> str:
        """Take away a user's password; gives a code with which to choose another one."""
        self.set_users_password(user_id, None)
        return self.tokens.reset(user_id)

    def set_users_password(self, user_id: int, new: str | None) -> None:
        """Set a user's password, or (None) leave them without; their sessions and tokens end."""
        self._state.users.set_password(user_id, None if new is None else hashed(normal(new)))
        self.end_all(user_id)

    def end_all(self, user_id: int) -> None:
        """End all that a user could show: sessions and tokens."""
        self.sessions.close_all(user_id)
        self.tokens.end_all(user_id)

    def issue_ticket(self) -> str:
        """A secret for a link that logs in, also before there is a password."""
        with self.changing:
            return self._tickets.issue()

    def redeem(self, ticket: str, session: str | None = None) -> str:
        """Open a session with a ticket. Raises ``RequestError`` 401 if it is not valid."""
        if not self._tickets.valid(ticket):
            raise RequestError(401, "This link has expired; ask for a new one.")
        return self.sessions.open(replaces=session)

    def _check_owner(self, password: str, address: str) -> None:
        with self._counted(address):
            if not fits(self._state.fact(_PASSWORD), normal(password)):
                raise RequestError(401, _WRONG)

    def _check_user(self, email: str, password: str, address: str) -> int:
        """The number of the user whose password this is."""
        with self._counted(address, email):
            found = self._state.users.find(email=email.strip().lower())
            number, user = next(iter(found.items()), (0, None))
            good = fits(None if user is None else user.password_hash, normal(password))
            if not good or user is None or not user.active:
                raise RequestError(401, _WRONG)
        return number

    @contextmanager
    def _counted(self, address: str, name: str = "") -> Iterator[None]:
        """Count what is refused (401) within against who asks, and refuse who has to wait."""
        now = self._now()
        self._throttle.check(address, now, name)
        try:
            yield
        except RequestError:
            if self._throttle.failed(address, now, name):
                self._state.remember(_FAILURES, self._throttle.memory(now))
            raise
        self._throttle.succeeded(address, name)

    def _set_password(self, password: str) -> None:
        self._state.remember(_PASSWORD, hashed(normal(password)))
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
        self._state.remember(_CODE, hashed(claim.plain(code)))
        self._code_failures = 0

    def _wrong_code(self) -> None:
        self._code_failures += 1
        if self._code_failures >= CODE_TRIES:
            self._renew_code()
        raise RequestError(401, _WRONG)


def bare(authorization: str) -> str:
    """The token in an ``Authorization`` header: FlexMeasures' has no "Bearer" before it."""
    scheme, space, token = authorization.strip().partition(" ")
    return token.strip() if space and scheme.lower() == "bearer" else authorization.strip()
