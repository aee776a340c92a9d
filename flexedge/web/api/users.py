"""Users."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from flexedge.domain.rights import ROLES, Caller, may_give, outranked
from flexedge.gateway.aggregate import MEASURED
from flexedge.gateway.foresee import FORECASTER
from flexedge.gateway.plan import SCHEDULER
from flexedge.gateway.service.work import NAME
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.users import User
from flexedge.web.api.accounts import fields_of as fields_of_account
from flexedge.web.api.desk import ROOT, Desk, fitting, in_utc, page_of, room
from flexedge.web.api.op import Call, On, Op, Rejected, Reply, forbidden, invalid
from flexedge.web.tokens import RESET_LIFE
from flexedge.wire.accounts import AccountTold
from flexedge.wire.lists import EventPage, EventsAsked, UserEvent
from flexedge.wire.users import (
    ChangedUser,
    Code,
    MadeUser,
    NewUser,
    OneUser,
    UserListed,
    UserPage,
    UsersAsked,
)

TAG: Final = "Users"
_MOST_EVENTS: Final = 10_000
_HOW: Final = (
    "There is no mail on a gateway: pass the code on to the user, who sends it with the password "
    "they choose to /api/setPassword."
)


_OWN_NAMES: Final = {MEASURED.name, SCHEDULER.name, FORECASTER.name, NAME, "tariff"}
"""Sources are chosen by name: what a user posts shall not be taken for these."""


def operations(desk: Desk) -> tuple[Op, ...]:
    """The operations."""

    def listed(call: Call[UsersAsked, None]) -> Reply:
        return _listed(desk, call)

    def made(call: Call[None, NewUser]) -> Reply:
        with desk.access.changing:
            number, user = _made(desk, call.caller, call.body)
        code = None if user.email is None else desk.access.tokens.reset(number)
        return Reply(MadeUser(**fields_of(number, user), password_code=code), 201)

    def one(call: Call[None, None]) -> Reply:
        return Reply(OneUser(**fields_of(call.number, call.found)))

    def changed(call: Call[None, ChangedUser]) -> Reply:
        with desk.access.changing:
            user = _changed(desk, call)
        return Reply(OneUser(**fields_of(call.number, user)))

    def deleted(call: Call[None, None]) -> Reply:
        _demand_rank(desk, call)
        with desk.access.changing:
            desk.access.end_all(call.number)
            desk.state.users.remove(call.number)
            desk.note(
                call.caller, f"User {call.found.name} deleted", account_id=call.found.account_id
            )
        return Reply(None, 204)

    def reset(call: Call[None, None]) -> Reply:
        return _reset(desk, call)

    def log(call: Call[EventsAsked, None]) -> Reply:
        thing = desk.user(call.number, call.found)
        desk.demand(call.caller, "read", replace(thing, kind="user-audit"))
        return _events(desk, call)

    place = f"{ROOT}/users"
    return (
        Op(
            method="GET", path=place, run=listed, tag=TAG, query=UsersAsked,
            summary="List the users that one may read",
            answers={200: list[UserListed] | UserPage},
        ),
        Op(
            method="POST", path=place, run=made, tag=TAG, scope="manage", body=NewUser,
            summary="Make a user, or a service account", answers={201: MadeUser}, description=_HOW,
        ),
        Op(
            method="GET", path=f"{place}/{{id}}", run=one, tag=TAG, on=On("user", "read"),
            summary="Tell a user", answers={200: OneUser},
        ),
        Op(
            method="PATCH", path=f"{place}/{{id}}", run=changed, tag=TAG, scope="manage",
            on=On("user", "update"), body=ChangedUser, summary="Change a user",
            answers={200: OneUser},
            description="Who is made inactive, or gets other roles, is logged out everywhere.",
        ),
        Op(
            method="DELETE", path=f"{place}/{{id}}", run=deleted, tag=TAG, scope="manage",
            who="admin", on=On("user", "delete"), summary="Delete a user", answers={204: None},
        ),
        Op(
            method="PATCH", path=f"{place}/{{id}}/password-reset", run=reset, tag=TAG,
            scope="manage", on=On("user", "update"), summary="Take away a user's password",
            answers={200: Code, 409: None}, description=_HOW,
        ),
        Op(
            method="GET", path=f"{place}/{{id}}/auditlog", run=log, tag=TAG,
            on=On("user", "read"), query=EventsAsked, summary="List what was done to a user",
            answers={200: list[UserEvent] | EventPage},
        ),
    )  # fmt: skip


def fields_of(number: int, user: User) -> dict[str, Any]:
    """A user as it is told."""
    return {
        "id": number, "username": user.name, "email": user.email, "account_id": user.account_id,
        "active": user.active, "timezone": user.timezone,
        "flexmeasures_roles": [ROLES.index(role) + 1 for role in user.roles if role in ROLES],
        "last_login_at": in_utc(user.logged_in), "last_seen_at": in_utc(user.seen),
    }  # fmt: skip


def _listed(desk: Desk, call: Call[UsersAsked, None]) -> Reply:
    asked, accounts = call.query, dict(desk.seen(call.caller))
    if asked.account is not None:
        if desk.state.accounts.get(asked.account) is None:
            raise Rejected(404, "NOT_FOUND", f"Account {asked.account} not found")
        desk.demand(call.caller, "read", desk.account(asked.account))
        accounts = {asked.account: accounts[asked.account]}
    seen = [
        (number, user)
        for number, user in desk.state.users.all().items()
        if user.account_id in accounts and (user.active or asked.include_inactive)
    ]
    rows = fitting(
        seen,
        asked.filter,
        lambda row: [row[1].email, row[1].name, accounts[row[1].account_id].name],
    )
    orders: Mapping[str, Any] = {
        "username": lambda user: user.name.lower(), "email": lambda user: user.email or "",
        "lastLogin": lambda user: in_utc(user.logged_in) or "",
        "lastSeen": lambda user: in_utc(user.seen) or "",
    }  # fmt: skip
    if asked.sort_by is not None:
        order = orders[asked.sort_by]
        rows.sort(key=lambda row: order(row[1]), reverse=asked.sort_dir == "desc")
    data = _told(page_of(rows, asked), accounts)
    if asked.page is None:
        return Reply(data)
    return Reply(UserPage(data=data, num_records=len(seen), filtered_records=len(rows)))


def _told(rows: Sequence[tuple[int, User]], accounts: Mapping[int, Account]) -> list[UserListed]:
    return [
        UserListed(
            **fields_of(number, user) | {"flexmeasures_roles": list(user.roles)},
            account=AccountTold(**fields_of_account(user.account_id, accounts[user.account_id])),
        )
        for number, user in rows
    ]


def _made(desk: Desk, caller: Caller, body: NewUser) -> tuple[int, User]:
    if desk.state.accounts.get(body.account_id) is None:
        raise Rejected(404, "NOT_FOUND", f"Account {body.account_id} not found")
    desk.demand(caller, "create-children", desk.account(body.account_id))
    room(desk.state, body.account_id, "users")
    user = User(body.username, body.account_id, desk.now(), email=body.email)
    _demand_new(desk, 0, user)
    number = desk.state.users.add(user)
    desk.note(
        caller, f"User {user.name} created", account_id=user.account_id, affected_user_id=number
    )
    return number, user


def _demand_new(desk: Desk, number: int, user: User) -> None:
    """Whether nobody else has this name or address, and it is no name of the gateway's own."""
    if user.name.lower() in _OWN_NAMES:
        invalid({"username": [f"'{user.name}' is what the gateway calls a source of its own."]})
    same = set(desk.state.users.find(name=user.name))
    if user.email is not None:
        same |= set(desk.state.users.find(email=user.email))
    if same - {number}:
        raise Rejected(400, "INVALID_REQUEST", "Duplicate user already exists")


def _changed(desk: Desk, call: Call[None, ChangedUser]) -> User:
    user = desk.state.users.get(call.number)
    if user is None:  # deleted just now
        raise Rejected(404, "NOT_FOUND", f"User {call.number} not found")
    given = {name: getattr(call.body, name) for name in call.body.model_fields_set}
    if call.caller.user_id == call.number and given.keys() & {"active", "flexmeasures_roles"}:
        forbidden("Users who edit themselves cannot edit security-sensitive fields.")
    _demand_rank(desk, call)
    said = []
    numbers = given.pop("flexmeasures_roles", None)
    if numbers is not None:
        given["roles"], words = _roles(desk, call, user, numbers)
        said += words
    if "active" in given:
        said.append(f"Active status set to '{given['active']}'.")
    if "username" in given:
        given["name"] = given.pop("username")
    new = replace(user, **given)
    _demand_new(desk, call.number, new)
    if new == user:
        return user
    desk.state.users.change(call.number, new)
    if set(new.roles) != set(user.roles) or not new.active:
        desk.access.end_all(call.number)
    others = [name for name in ("email", "name", "timezone") if name in given]
    said += [f"Changed: {', '.join(others)}."] if others else []
    desk.note(call.caller, " ".join(said), account_id=user.account_id, affected_user_id=call.number)
    return new


def _roles(
    desk: Desk, call: Call[None, ChangedUser], user: User, numbers: list[int]
) -> tuple[list[str], list[str]]:
    """The roles with these numbers, where the caller may give and take what that changes."""
    wrong = [number for number in numbers if not 0 < number <= len(ROLES)]
    if wrong:
        known = ", ".join(f"{number} {name}" for number, name in enumerate(ROLES, 1))
        invalid({"flexmeasures_roles": [f"No role has the number {wrong[0]}; there are {known}."]})
    roles = [ROLES[number - 1] for number in dict.fromkeys(numbers)]
    said = []
    for word, preposition, changed in (
        ("remove", "from", sorted(set(user.roles) - set(roles))),
        ("add", "to", sorted(set(roles) - set(user.roles))),
    ):
        for role in changed:
            if not may_give(call.caller, role, desk.user(call.number, user)):
                forbidden(f"You are not allowed to {word} ({role}) role {preposition} this user.")
        if changed:
            said.append(
                f"{'Added' if word == 'add' else 'Removed'} role(s): [{','.join(changed)}]."
            )
    return roles, said


def _demand_rank(desk: Desk, call: Call[Any, Any]) -> None:
    user: User = call.found
    if outranked(call.caller, user.roles, desk.user(call.number, user)):
        forbidden("This user has roles that you cannot give: only who can may change them.")


def _reset(desk: Desk, call: Call[None, None]) -> Reply:
    if call.found.email is None:
        raise Rejected(409, "CONFLICT", "A service account has no password.")
    if call.caller.user_id == call.number:
        forbidden(
            "Change your own password with the old one, at /api/password; or let an admin give "
            "you a code."
        )
    _demand_rank(desk, call)
    code = desk.access.reset_password(call.number)
    desk.note(
        call.caller, f"Password of user {call.found.name} has been reset",
        account_id=call.found.account_id, affected_user_id=call.number,
    )  # fmt: skip
    return Reply(Code(password_code=code, expires=call.now + RESET_LIFE, message=_HOW))


def _events(desk: Desk, call: Call[EventsAsked, None]) -> Reply:
    entries = desk.state.audit.newest(_MOST_EVENTS, affected_user_id=call.number)
    if call.query.sort_dir == "asc":
        entries.reverse()
    rows = fitting(entries, call.query.filter, lambda entry: [entry.what, entry.who])
    data = [_event(one) for one in page_of(rows, call.query)]
    if call.query.page is None:
        return Reply(data)
    return Reply(EventPage(data=data, num_records=len(entries), filtered_records=len(rows)))


def _event(one: Entry) -> UserEvent:
    return UserEvent(
        event=one.what, event_datetime=in_utc(one.at) or "", active_user_id=one.user_id,
        active_user_name=one.who,
    )  # fmt: skip
