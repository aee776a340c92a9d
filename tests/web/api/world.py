"""Two accounts with a consultancy, their things, and everybody who could call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any, Final

import requests

from flexedge.domain.asset import Sensor
from flexedge.domain.rights import (
    ACCOUNT_ADMIN,
    ADMIN,
    ADMIN_READER,
    CONSULTANCY,
    CONSULTANT,
    SCOPES,
    TASK_RUNNER,
)
from flexedge.store.tables.accounts import Account, Plan
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.users import Token, User
from flexedge.web.api.parts import Parts
from tests.web.conftest import NOW, Site

OWN, OTHER, ADVICE = 1, 2, 3
"""The accounts: the one whose things are asked about, a stranger's, and its consultancy."""
USERS: Final[Mapping[str, tuple[int, tuple[str, ...]]]] = {
    "member": (OWN, ()),
    "head": (OWN, (ACCOUNT_ADMIN,)),
    "consultant": (ADVICE, (CONSULTANT,)),
    "adviser": (ADVICE, ()),
    "stranger": (OTHER, (ACCOUNT_ADMIN,)),
    "reader": (OTHER, (ADMIN_READER,)),
    "runner": (OTHER, (TASK_RUNNER,)),
    "admin": (OTHER, (ADMIN,)),
}
KEYS: Final = tuple(f"key-{scope}" for scope in sorted(SCOPES))
"""Keys of the head of the account, each with one scope."""
CALLERS: Final = ("nobody", *USERS, *KEYS, "owner", "local")


@dataclass
class World:
    """The accounts, and what a caller shows."""

    site: Site
    parts: Parts
    users: dict[str, int] = field(default_factory=dict)
    _fresh: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        state = self.parts.state
        for made in (Account("Own"), Account("Other"), Account("Advice", [CONSULTANCY])):
            state.accounts.add(made)
        own = state.accounts.all()[OWN]
        state.accounts.change(OWN, replace(own, consultancy_account_id=ADVICE))
        for name, (account, roles) in USERS.items():
            self.users[name] = state.users.add(
                User(name, account, NOW, email=f"{name}@example.org", roles=list(roles))
            )

    def session(self, caller: str) -> requests.Session:
        """Somebody at their program or, for the owner, at the page."""
        if caller in ("nobody", "owner", "local"):
            kinds = {"nobody": self.site.browser, "owner": self.site.owner}
            return kinds.get(caller, self.site.program)()
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = self.shown(caller)
        return session

    def ask(self, caller: str, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The answer to a request: its status, and its JSON (None without)."""
        session = self.session(caller)
        answer = session.request(method, self.site.url + path, params=query, json=body, timeout=10)
        return answer.status_code, answer.json() if answer.content else None

    def shown(self, caller: str) -> str:
        """A new token of a user, or a new key."""
        if caller in USERS:
            return self.site.access.tokens.log_in(self.users[caller]).access
        key = Token(self.users["head"], "key", caller, [caller.removeprefix("key-")], NOW)
        state = self.parts.state
        for number, token in state.users.tokens().items():
            if token.kind == "key" and token.name == caller:
                state.users.revoke(number)
        return self.site.access.tokens.key(key)[1]

    def new(self, kind: str, account: int | None = OWN) -> int:
        """A new thing of an account (None: public), or a new account."""
        makers: Mapping[str, Callable[[str, int | None], int]] = {
            "asset": self._asset, "sensor": self._sensor, "user": self._user,
            "account": self._account, "plan": self._plan, "key": self._key,
        }  # fmt: skip
        return makers[kind](f"{kind} {self.number()}", account)

    def number(self) -> int:
        """One that was not there before."""
        return int(next(self._fresh))

    def _asset(self, name: str, account: int | None) -> int:
        return self.parts.state.assets.add(Asset(name, "battery", account_id=account))

    def _sensor(self, name: str, account: int | None) -> int:
        asset = self._asset(f"for {name}", account)
        number = self.parts.beliefs.register(Sensor(f"{asset}/power", "kW", timedelta(minutes=15)))
        self.parts.state.placed.place(number, asset, "power", "Europe/Amsterdam", {})
        return number

    def _user(self, name: str, account: int | None) -> int:
        email = f"{name.replace(' ', '-')}@example.org"
        return self.parts.state.users.add(User(name, account or OWN, NOW, email=email))

    def _account(self, name: str, account: int | None) -> int:
        advice = ADVICE if account == OWN else None
        return self.parts.state.accounts.add(Account(name, consultancy_account_id=advice))

    def _plan(self, name: str, _account: int | None) -> int:
        return self.parts.state.plans.add(Plan(name))

    def _key(self, name: str, account: int | None) -> int:
        user = self._user(f"of {name}", account)
        key = Token(user, "key", name, ["read"], NOW)
        return self.site.access.tokens.key(key)[0]
