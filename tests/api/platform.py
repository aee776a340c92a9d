"""The whole server of `flexedge serve` in this process, with an account and people of each role."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from flexedge.config.settings import Settings
from flexedge.daemon.clock import WallClock
from flexedge.daemon.compose import open_store, parts_of
from flexedge.daemon.door import work_on
from flexedge.domain.asset import Sensor
from flexedge.domain.rights import ROLES, SCOPES
from flexedge.gateway.health import Health
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.users import Token, User
from flexedge.web.api.op import Op
from flexedge.web.api.parts import Parts
from flexedge.web.app import build
from flexedge.web.auth import Access
from flexedge.web.server import Server

USUAL: Final = "user"
"""The one with no role."""


@dataclass(frozen=True)
class Platform:
    """A running server; ``tokens`` by the role of who has them."""

    url: str
    parts: Parts
    access: Access
    ops: tuple[Op, ...]
    tokens: dict[str, str]
    account: int
    asset: int
    sensor: int

    def ask(
        self, method: str, path: str, who: str | None = "admin", **more: Any
    ) -> requests.Response:
        """What is answered to somebody of a role, or nobody (None)."""
        with requests.Session() as session:
            session.trust_env = False
            if who is not None:
                session.headers["Authorization"] = self.tokens[who]
            return session.request(method, self.url + path, timeout=30, **more)


def furnish(parts: Parts, account: int) -> tuple[int, int]:
    """Add eight assets, numbered from 1 on, with a sensor each; gives the numbers of the first."""
    made: list[tuple[int, int]] = []
    for number, unit in enumerate(("kW", "kWh", "EUR/MWh", "MW", "%", "°C", "kW", "kW")):
        name = f"toy-{number}"
        above = made[0][0] if number in (1, 2) else None
        asset = parts.state.assets.add(Asset(name, "battery", above, account))
        sensor = parts.beliefs.register(Sensor(f"{asset}/power", unit))
        parts.state.placed.place(sensor, asset, "power", "Europe/Amsterdam", {})
        made.append((asset, sensor))
    return made[0]


@contextmanager
def platform(folder: Path) -> Iterator[Platform]:
    """Runs while the context does."""
    clock, settings = WallClock(), Settings(data_dir=folder)
    with ExitStack() as stack, ThreadPoolExecutor(1) as threads:
        health = Health()
        beliefs, state = open_store(settings, health, clock.now(), stack)
        parts = parts_of(settings, state, beliefs, clock)
        work_on(parts, health, clock, stack)
        access = Access(state, folder, clock.now)
        app = build(None, access, parts)
        account = state.accounts.add(Account(name="Toy Account"))
        tokens = {}
        for role in (USUAL, *ROLES):
            roles = [] if role == USUAL else [role]
            user = User(
                name=role, account_id=account, created=clock.now(), roles=roles,
                email=f"{role}@example.com",
            )  # fmt: skip
            number = state.users.add(user)
            key = Token(number, "key", "test", sorted(SCOPES), clock.now())
            tokens[role] = access.tokens.key(key)[1]
        asset, sensor = furnish(parts, account)
        server = Server(app, "127.0.0.1", 0)
        server.start()
        ended = threads.submit(server.serve)
        yield Platform(
            server.url,
            app.state.parts,
            access,
            app.state.operations,
            tokens,
            account,
            asset,
            sensor,
        )
        server.stop()
        ended.result(timeout=10)
