"""What the operations about people work with: accounts, users, and who may do what with them."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from flexedge.domain.rights import Caller, Permission, Thing, may
from flexedge.errors import RequestError
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.users import User
from flexedge.web.api.op import forbidden, invalid
from flexedge.web.auth import Access
from flexedge.wire.lists import ListAsked

ROOT: Final = "/api/v3_0"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where accounts and users are looked after, with or without a server."""

    state: State
    access: Access
    now: Callable[[], datetime]

    def account(self, number: int) -> Thing:
        """An account as a thing."""
        return Thing("account", number, self._consultancy(number))

    def user(self, number: int, user: User) -> Thing:
        """A user as a thing."""
        return Thing("user", user.account_id, self._consultancy(user.account_id), number)

    def demand(self, caller: Caller, permission: Permission, thing: Thing) -> None:
        """Refuse a caller who may not do that (403)."""
        if not may(caller, permission, thing):
            forbidden("You cannot be authorized for this content or functionality.")

    def seen(self, caller: Caller) -> Mapping[int, Account]:
        """The accounts that a caller may read."""
        every = self.state.accounts.all()
        return {
            number: account
            for number, account in every.items()
            if may(caller, "read", Thing("account", number, account.consultancy_account_id))
        }

    def note(self, caller: Caller, what: str, **about: Any) -> None:
        """Put down what a caller did."""
        entry = Entry(self.now(), caller.name, what, user_id=caller.user_id, **about)
        self.state.audit.add(entry)

    def _consultancy(self, number: int) -> int | None:
        account = self.state.accounts.get(number)
        return None if account is None else account.consultancy_account_id


def room(state: State, account_id: int, what: str) -> None:
    """Refuse (403) another of ``what`` where an account has all that its plan allows.

    ``what``: "users", "assets" or "clients".
    """
    account = state.accounts.get(account_id)
    plan = None
    if account is not None and account.plan_id is not None:
        plan = state.plans.get(account.plan_id)
    if account is None or plan is None:
        return
    most = {"users": plan.max_users, "assets": plan.max_assets, "clients": plan.max_clients}[what]
    if most is None:
        return
    count = {
        "users": lambda: len(state.users.find(account_id=account_id)),
        "assets": lambda: sum(a.account_id == account_id for a in state.assets.all().values()),
        "clients": lambda: len(state.accounts.find(consultancy_account_id=account_id)),
    }[what]()
    if count >= most:
        forbidden(
            f"Plan '{plan.name}' of account '{account.name}' allows {most} {what}; there are "
            f"{count}."
        )


def terms(text: str | None) -> list[str]:
    """What is searched for: words, and phrases in quotes; in lower case."""
    try:
        return [] if text is None else shlex.split(text.lower())
    except ValueError:
        invalid({"filter": ["A quote is missing at the end of a phrase."]}, "query")


def fitting(
    rows: Iterable[_T], text: str | None, words: Callable[[_T], Sequence[str | None]]
) -> list[_T]:
    """The rows in one of whose words each term is that is searched for."""
    sought = terms(text)
    return [
        row
        for row in rows
        if all(any(term in (word or "").lower() for word in words(row)) for term in sought)
    ]


def page_of(rows: Sequence[_T], asked: ListAsked) -> Sequence[_T]:
    """The page that is asked for, or all. Raises ``RequestError`` 404 for one behind the last."""
    if asked.page is None:
        return rows
    start = (asked.page - 1) * asked.per_page
    if start and start >= len(rows):
        raise RequestError(404, f"There is no page {asked.page}.")
    return rows[start : start + asked.per_page]


def in_utc(moment: datetime | None) -> str | None:
    """A moment as FlexMeasures writes it of users: in UTC, without offset."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat()
