"""Operations of a test's own, behind the real server, with people who are made up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pytest
import requests
from starlette.applications import Starlette
from starlette.middleware import Middleware

from flexedge.domain.rights import ADMIN, ADMIN_READER, NOBODY, TASK_RUNNER, Caller
from flexedge.errors import TooManyTries
from flexedge.store.tables.accounts import Account
from flexedge.web.api.op import Op
from flexedge.web.api.parts import Parts
from flexedge.web.api.serve import Gate, routes
from flexedge.web.app import carrying
from flexedge.web.guard import Guard
from flexedge.web.server import Server
from tests.web.conftest import Serving

PEOPLE = {
    "member": Caller("user", 1, "member", account_id=1),
    "stranger": Caller("user", 2, "stranger", account_id=2),
    "admin": Caller("user", 3, "admin", account_id=2, roles=frozenset({ADMIN})),
    "reader": Caller("user", 4, "reader", account_id=2, roles=frozenset({ADMIN_READER})),
    "runner": Caller("user", 5, "runner", account_id=2, roles=frozenset({TASK_RUNNER})),
    "key": Caller("user", 1, "key", account_id=1, scopes=frozenset({"read"})),
    "owner": Caller("owner", name="owner"),
}
"""By the token they show, and by their session."""


class Door:
    """Knows people by their names."""

    def caller(self, authorization: str | None, session: str | None) -> Caller:
        token = session if authorization is None else authorization.removeprefix("Bearer ")
        return PEOPLE.get(token or "", NOBODY)


@dataclass
class Counting:
    """Notes what is counted; refuses more than ``most`` triggers."""

    most: int = 2
    requests: list[str] = field(default_factory=list)
    triggers: list[int | None] = field(default_factory=list)

    def count(self, caller: Caller, address: str, _now: datetime) -> None:
        self.requests.append(caller.name or address)

    def check_trigger(self, *_who: object) -> None:
        if len(self.triggers) >= self.most:
            raise TooManyTries(30)

    def count_trigger(self, _caller: Caller, asset_id: int | None, _now: datetime) -> None:
        self.triggers.append(asset_id)


@dataclass(frozen=True)
class Served:
    """A server of some operations."""

    url: str
    limits: Counting

    def ask(
        self,
        method: str,
        path: str,
        token: str | None = "member",  # noqa: S107 (a name)
        **more: object,
    ) -> requests.Response:
        """What it answers."""
        with requests.Session() as session:
            session.trust_env = False
            if token is not None:
                session.headers["Authorization"] = token
            return session.request(method, self.url + path, timeout=10, **more)  # type: ignore[arg-type]


Serve = Callable[..., Served]


@pytest.fixture
def serve(parts: Parts, serving: Serving) -> Iterator[Serve]:
    """Starts servers of operations."""
    started = []
    for name in ("Toys", "Others"):
        parts.state.accounts.add(Account(name=name))

    def start(*ops: Op) -> Served:
        limits = Counting()
        app = Starlette(
            routes=list(routes(ops, Gate(parts, Door(), limits))),
            middleware=[Middleware(Guard, measured=carrying(ops))],
        )
        app.state.hang_up = lambda: None
        server = Server(app, "127.0.0.1", 0)
        server.start()
        serving(server)
        started.append(server)
        return Served(server.url, limits)

    yield start
    for server in started:
        server.stop()
