"""Accounts."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from flexedge.domain.rights import (
    ACCOUNT_ADMIN,
    ACCOUNT_ROLES,
    CONSULTANCY,
    CONSULTANT,
    Caller,
    Thing,
)
from flexedge.store.tables.accounts import Account
from flexedge.web.api.desk import ROOT, Desk, fitting, in_utc, page_of, room
from flexedge.web.api.op import Call, On, Op, Rejected, Reply, forbidden, invalid
from flexedge.wire.accounts import (
    AccountListed,
    AccountPage,
    AccountsAsked,
    AccountTold,
    ChangedAccount,
    NewAccount,
    OneAccount,
    Role,
)
from flexedge.wire.lists import AccountEvent

TAG: Final = "Accounts"
_MOST_EVENTS: Final = 1000
_FOR_ADMINS: Final = {
    "plan_id": "Only platform administrators may change the plan an organisation is on.",
    "account_roles": "Only platform administrators may change the roles of an account.",
}


def operations(desk: Desk) -> tuple[Op, ...]:
    """The operations."""
    state = desk.state

    def listed(call: Call[AccountsAsked, None]) -> Reply:
        return _listed(desk, call)

    def made(call: Call[None, NewAccount]) -> Reply:
        desk.demand(call.caller, "create-children", Thing("platform"))
        with desk.access.changing:
            number, account = _made(desk, call.caller, call.body)
        return Reply(OneAccount(**fields_of(number, account), status=201), 201)

    def one(call: Call[None, None]) -> Reply:
        return Reply(OneAccount(**fields_of(call.number, call.found)))

    def changed(call: Call[None, ChangedAccount]) -> Reply:
        with desk.access.changing:
            account = _changed(desk, call)
        return Reply(OneAccount(**fields_of(call.number, account)))

    def deleted(call: Call[None, None]) -> Reply:
        with desk.access.changing:
            _demand_empty(desk, call.number)
            state.accounts.remove(call.number)
            desk.note(call.caller, f"Account {call.found.name} deleted")
        return Reply(None, 204)

    def log(call: Call[None, None]) -> Reply:
        desk.demand(call.caller, "read", replace(desk.account(call.number), kind="account-audit"))
        entries = state.audit.newest(_MOST_EVENTS, account_id=call.number)
        return Reply(
            [
                AccountEvent(
                    event=one.what, event_datetime=in_utc(one.at) or "", active_user_id=one.user_id
                )
                for one in entries
            ]
        )

    place = f"{ROOT}/accounts"
    return (
        Op(
            method="GET", path=place, run=listed, tag=TAG, query=AccountsAsked,
            summary="List the accounts that one may read",
            answers={200: list[AccountTold] | AccountPage},
        ),
        Op(
            method="POST", path=place, run=made, tag=TAG, scope="manage", body=NewAccount,
            summary="Make an account", answers={201: OneAccount},
            description="For admins, and for consultants: theirs becomes its consultancy.",
        ),
        Op(
            method="GET", path=f"{place}/{{id}}", run=one, tag=TAG, on=On("account", "read"),
            summary="Tell an account", answers={200: OneAccount},
        ),
        Op(
            method="PATCH", path=f"{place}/{{id}}", run=changed, tag=TAG, scope="manage",
            on=On("account", "update"), body=ChangedAccount, summary="Change an account",
            answers={200: OneAccount},
        ),
        Op(
            method="DELETE", path=f"{place}/{{id}}", run=deleted, tag=TAG, scope="manage",
            who="admin", on=On("account", "delete"), summary="Delete an account that is empty",
            answers={204: None, 409: None},
        ),
        Op(
            method="GET", path=f"{place}/{{id}}/auditlog", run=log, tag=TAG,
            on=On("account", "read"), summary="List what was done to an account",
            answers={200: list[AccountEvent]},
        ),
    )  # fmt: skip


def fields_of(number: int, account: Account) -> dict[str, Any]:
    """An account as it is told."""
    roles = [Role(id=role_number(name), name=name) for name in account.roles]
    return asdict(account) | {"id": number, "account_roles": roles}


def role_number(name: str) -> int:
    """The number of a role of accounts; 0 for one that is not known any more."""
    return ACCOUNT_ROLES.index(name) + 1 if name in ACCOUNT_ROLES else 0


def _listed(desk: Desk, call: Call[AccountsAsked, None]) -> Reply:
    asked = call.query
    seen = [
        (number, account)
        for number, account in desk.seen(call.caller).items()
        if asked.role is None or asked.role in account.roles
    ]
    rows = fitting(seen, asked.filter, lambda row: [row[1].name])
    users, assets = _counts(desk, "users"), _counts(desk, "assets")
    orders: Mapping[str, Any] = {
        "name": lambda row: row[1].name.lower(), "assets": lambda row: assets.get(row[0], 0),
        "users": lambda row: users.get(row[0], 0),
    }  # fmt: skip
    if asked.sort_by is not None:
        rows.sort(
            key=orders.get(asked.sort_by, lambda row: row[0]), reverse=asked.sort_dir == "desc"
        )
    page = page_of(rows, asked)
    if asked.page is None:
        return Reply([AccountTold(**fields_of(*row)) for row in page])
    data = [
        AccountListed(
            **fields_of(number, account),
            user_count=users.get(number, 0),
            asset_count=assets.get(number, 0),
        )
        for number, account in page
    ]
    return Reply(AccountPage(data=data, num_records=len(seen), filtered_records=len(rows)))


def _counts(desk: Desk, what: str) -> dict[int, int]:
    counts: dict[int, int] = {}
    every: Mapping[int, Any] = {
        "users": desk.state.users.all, "assets": desk.state.assets.all
    }[what]()  # fmt: skip
    for one in every.values():
        counts[one.account_id] = counts.get(one.account_id, 0) + 1
    return counts


def _made(desk: Desk, caller: Caller, body: NewAccount) -> tuple[int, Account]:
    if desk.state.accounts.find(name=body.name):
        invalid({"name": [f"An account with name '{body.name}' already exists."]})
    consultancy = body.consultancy_account_id
    if consultancy is None and not caller.is_admin:
        consultancy = caller.account_id
    if consultancy is not None:
        _demand_consultancy(desk, caller, consultancy)
        room(desk.state, consultancy, "clients")
    account = Account(body.name, consultancy_account_id=consultancy)
    number = desk.state.accounts.add(account)
    desk.note(caller, f"Account {body.name} created", account_id=number)
    return number, account


def _changed(desk: Desk, call: Call[None, ChangedAccount]) -> Account:
    account = desk.state.accounts.get(call.number)
    if account is None:  # deleted just now
        raise Rejected(404, "NOT_FOUND", f"Account {call.number} not found")
    given = {name: getattr(call.body, name) for name in call.body.model_fields_set}
    roles = given.pop("account_roles", None)
    if roles is not None:
        given["roles"] = _roles(roles)
    new = {name: value for name, value in given.items() if value != getattr(account, name)}
    for name, why in _FOR_ADMINS.items():
        if name.removeprefix("account_") in new or name in new:
            _demand_admin(call.caller, why)
    if "name" in new and desk.state.accounts.find(name=new["name"]):
        invalid({"name": [f"An account with name '{new['name']}' already exists."]})
    if "consultancy_account_id" in new:
        _demand_new_consultancy(desk, call, new["consultancy_account_id"])
    if new.get("plan_id") is not None:
        _demand_plan(desk, new["plan_id"])
    if not new:
        return account
    account = replace(account, **new)
    desk.state.accounts.change(call.number, account)
    told = ", ".join("account_roles" if name == "roles" else name for name in new)
    desk.note(
        call.caller, f"Account Updated, Field: {told}",
        account_id=call.number, affected_user_id=call.caller.user_id,
    )  # fmt: skip
    return account


def _roles(numbers: list[int]) -> list[str]:
    wrong = [number for number in numbers if not 0 < number <= len(ACCOUNT_ROLES)]
    if wrong:
        invalid({"account_roles": [f"Invalid account role ID(s): {wrong}."]})
    return [ACCOUNT_ROLES[number - 1] for number in dict.fromkeys(numbers)]


def _demand_admin(caller: Caller, why: str) -> None:
    if not caller.is_admin:
        forbidden(why)


def _demand_new_consultancy(
    desk: Desk, call: Call[None, ChangedAccount], number: int | None
) -> None:
    _demand_consultancy(desk, call.caller, number)
    if number == call.number:
        invalid({"consultancy_account_id": ["An account cannot be its own consultancy."]})
    if number is not None:
        room(desk.state, number, "clients")


def _demand_consultancy(desk: Desk, caller: Caller, number: int | None) -> None:
    """Whether a caller may make that account (None: none) somebody's consultancy."""
    if not caller.is_admin:
        if CONSULTANCY not in caller.account_roles:
            forbidden(
                f"Your account must have the '{CONSULTANCY}' role to be set as a consultancy "
                "account."
            )
        if caller.roles.isdisjoint({CONSULTANT, ACCOUNT_ADMIN}):
            forbidden(
                f"You must have the '{CONSULTANT}' or '{ACCOUNT_ADMIN}' role to set a consultancy "
                "account."
            )
    if number is None:
        return
    if desk.state.accounts.get(number) is None:
        invalid({"consultancy_account_id": [f"No account found with id {number}."]})
    if not caller.is_admin and number != caller.account_id:
        forbidden("You can only set consultancy_account_id to your own account.")


def _demand_plan(desk: Desk, number: int) -> None:
    plan = desk.state.plans.get(number)
    if plan is None:
        invalid({"plan_id": [f"No plan found with id {number}."]})
    if plan.legacy:
        why = f"Plan '{plan.name}' has been retired and can no longer be assigned."
        invalid({"plan_id": [why]})


def _demand_empty(desk: Desk, number: int) -> None:
    left = {
        "users": len(desk.state.users.find(account_id=number)),
        "assets": _counts(desk, "assets").get(number, 0),
        "clients": len(desk.state.accounts.find(consultancy_account_id=number)),
    }
    there = [f"{count} {what}" for what, count in left.items() if count]
    if there:
        raise Rejected(
            409, "CONFLICT", f"This account has {', '.join(there)}; delete or move these first."
        )
