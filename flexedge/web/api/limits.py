"""How often somebody may ask, as the plans of accounts and the settings say. In memory only."""

import math
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, Protocol

from flexedge.domain.rate import Rate, rate_of
from flexedge.domain.rights import Caller
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account, Plan
from flexedge.web.api.op import Rejected

MOST_KEYS: Final = 10_000
_Get = Callable[[str, datetime], datetime]


class Usual(Protocol):
    """The rates where no plan says another; the settings' ``web`` has them."""

    @property
    def requests(self) -> str:
        """Of each caller."""

    @property
    def triggers(self) -> str:
        """Of each account."""


class Buckets:
    """What was used of rates, by whose it is: when each bucket will be full again.

    Full buckets are forgotten; of more than 10 000 others those that were used longest ago are.
    """

    def __init__(self) -> None:
        self._full: OrderedDict[str, datetime] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full)

    def wait(self, key: str, rate: Rate, now: datetime) -> timedelta:
        """How long until there is room for one more."""
        return rate.wait(self._full.get(key, now), now)

    def take(self, key: str, rate: Rate, now: datetime) -> None:
        """Take one out."""
        self._full[key] = rate.full(self._full.get(key, now), now)
        self._full.move_to_end(key)
        oldest = next(iter(self._full))
        if self._full[oldest] <= now or len(self._full) > MOST_KEYS:
            del self._full[oldest]


class Limits:
    """Counts requests by user (of nobody: by address) and triggers by account. From any thread.

    ``usual``: the rates where no plan says another.
    """

    def __init__(self, state: State, usual: Usual) -> None:
        self._state = state
        self._requests = rate_of(usual.requests)
        self._triggers = rate_of(usual.triggers)
        self._buckets = Buckets()
        self._lock = Lock()
        self._plans: dict[int, Plan | None] = {}
        self._as_of = -1

    def count(self, caller: Caller, address: str, now: datetime) -> None:
        """Count a request; raises ``Rejected`` 429 for one too many."""
        if caller.kind == "local":
            return
        plan = self._plan(caller.account_id)
        text = None if plan is None else plan.default_rate_limit
        rate = self._requests if text is None else rate_of(text)
        if rate is None:
            return
        key = f"requests {_whose(caller, address)}"
        with self._lock:
            wait = self._buckets.wait(key, rate, now)
            if not wait:
                self._buckets.take(key, rate, now)
        _refuse(wait, rate)

    def check_trigger(self, caller: Caller, asset_id: int | None, now: datetime) -> None:
        """Refuse a trigger (``Rejected`` 429) where those of late were too many."""
        rate, key = self._of_triggers(caller, asset_id)
        if rate is not None:
            with self._lock:
                wait = self._buckets.wait(key, rate, now)
            _refuse(wait, rate)

    def count_trigger(self, caller: Caller, asset_id: int | None, now: datetime) -> None:
        """Count a trigger that was accepted."""
        rate, key = self._of_triggers(caller, asset_id)
        if rate is not None:
            with self._lock:
                self._buckets.take(key, rate, now)

    def _of_triggers(self, caller: Caller, asset_id: int | None) -> tuple[Rate | None, str]:
        plan = self._plan(caller.account_id)
        text = None if plan is None else plan.trigger_rate_limit
        by = "account" if plan is None else plan.rate_limit_key or "account"
        account = f"triggers of account {caller.account_id}"
        keys = {
            "account": account,
            "account-asset": account if asset_id is None else f"{account}, asset {asset_id}",
            "user": f"triggers of {_whose(caller, '')}",
        }
        return self._triggers if text is None else rate_of(text), keys.get(by, account)

    def _plan(self, account_id: int | None) -> Plan | None:
        """The plan of an account; looked up again once something was written."""
        if account_id is None:
            return None
        changes = self._state.changes
        if changes != self._as_of:
            self._plans, self._as_of = {}, changes
        plans = self._plans
        if account_id not in plans:
            account = self._state.accounts.get(account_id)
            plans[account_id] = self._plan_of(account)
        return plans[account_id]

    def _plan_of(self, account: Account | None) -> Plan | None:
        if account is None or account.plan_id is None:
            return None
        return self._state.plans.get(account.plan_id)


def _whose(caller: Caller, address: str) -> str:
    if caller.user_id is not None:
        return f"user {caller.user_id}"
    return f"the {caller.kind}" if caller.known else f"address {address}"


def _refuse(wait: timedelta, rate: Rate) -> None:
    if wait:
        raise Rejected(
            429,
            "TOO_MANY_REQUESTS",
            f"Too many requests: {rate.count} per {rate.span} are allowed. Wait and try again.",
            {"Retry-After": str(max(1, math.ceil(wait.total_seconds())))},
        )
