"""Who may do what: one table, after FlexMeasures' rules.

A caller stands in relations to a thing: member of its account, consultant for it, itself. The
table says for each kind of thing and each permission which relations are enough. Admins may do
everything, admin-readers may read everything. A token can be limited to scopes beside that.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Permission = Literal["read", "update", "delete", "create-children"]
Kind = Literal["platform", "account", "user", "asset", "sensor", "user-audit", "account-audit",
               "gateway"]  # fmt: skip
Relation = Literal["anybody", "member", "account-admin", "consultant", "oneself", "consultancy"]
Scope = Literal["read", "data", "plan", "manage", "control"]
"""To read; to post and delete data; to trigger schedules and forecasts; to create, change and
delete everything else; to override devices."""

ADMIN: Final = "admin"
ADMIN_READER: Final = "admin-reader"
ACCOUNT_ADMIN: Final = "account-admin"
CONSULTANT: Final = "consultant"
TASK_RUNNER: Final = "task-runner"
CONSULTANCY: Final = "Consultancy"
ACCOUNT_ROLES: Final = (CONSULTANCY, "Prosumer", "Aggregator", "Supplier", "DSO", "MDC")
"""The roles of accounts; their numbers on the wire are their places here, from 1 on."""
ROLES: Final = (ACCOUNT_ADMIN, ADMIN, ADMIN_READER, CONSULTANT, TASK_RUNNER)
"""The roles of users; their numbers on the wire are their places here, from 1 on."""
SCOPES: Final[frozenset[Scope]] = frozenset({"read", "data", "plan", "manage", "control"})

_TEAM: Final[frozenset[Relation]] = frozenset({"member", "consultant"})
_HEADS: Final[frozenset[Relation]] = frozenset({"account-admin", "consultant"})
_NOBODY: Final[frozenset[Relation]] = frozenset()
MAY: Final[Mapping[Kind, Mapping[Permission, frozenset[Relation]]]] = {
    "platform": {"create-children": frozenset({"consultancy"})},
    "account": {"read": _TEAM, "update": _TEAM, "create-children": _HEADS},
    "user": {"read": _TEAM, "update": _HEADS | {"oneself"}},
    "asset": {"read": _TEAM, "update": _TEAM, "create-children": _TEAM, "delete": _HEADS},
    "sensor": {"read": _TEAM, "update": _HEADS, "create-children": _TEAM, "delete": _HEADS},
    "user-audit": {"read": _HEADS | {"oneself"}},
    "account-audit": {"read": _HEADS},
    "gateway": {"read": _TEAM, "update": _HEADS},
}
"""The table. What is not in it only admins may do. A public asset, and its sensors, can be read by
everybody who is logged in."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a user, the owner of the gateway, a program on the machine, or nobody."""

    kind: Literal["nobody", "user", "owner", "local"] = "nobody"
    user_id: int | None = None
    name: str = ""
    account_id: int | None = None
    roles: frozenset[str] = frozenset()
    account_roles: frozenset[str] = frozenset()
    scopes: frozenset[Scope] = SCOPES
    token_id: int | None = None
    """What it showed, if that was a token of the table."""

    @property
    def known(self) -> bool:
        """Whether it is somebody."""
        return self.kind != "nobody"

    @property
    def by_cookie(self) -> bool:
        """Whether a browser's cookie says who it is: what it asks must come from our own page."""
        return self.kind in ("user", "owner") and self.token_id is None

    @property
    def is_admin(self) -> bool:
        """Whether it may do everything; owner and programs on the machine may."""
        return self.kind in ("owner", "local") or ADMIN in self.roles

    @property
    def sees_all(self) -> bool:
        """Whether it may read everything."""
        return self.is_admin or ADMIN_READER in self.roles


NOBODY: Final = Caller()


@dataclass(frozen=True, slots=True)
class Thing:
    """What is asked about: whose it is."""

    kind: Kind
    account_id: int | None = None
    """None: of no account; assets and sensors are public then."""
    consultancy_id: int | None = None
    """The account whose consultants act for that account."""
    user_id: int | None = None
    """For users."""


def may(caller: Caller, permission: Permission, thing: Thing) -> bool:
    """Whether a caller may do that with a thing."""
    if not caller.known:
        return False
    if caller.is_admin or (permission == "read" and caller.sees_all):
        return True
    public = thing.account_id is None and thing.kind in ("asset", "sensor")
    if public and permission == "read":
        return True
    enough = MAY[thing.kind].get(permission, _NOBODY)
    return not enough.isdisjoint(_relations(caller, thing))


_GIVEN_BY: Final[Mapping[str, frozenset[Relation]]] = {
    ACCOUNT_ADMIN: frozenset({"consultant"}),
    CONSULTANT: frozenset({"account-admin"}),
}
"""Who beside admins gives and takes a role. That of admins is for the owner and the command line;
readers of all and those who run tasks are made by admins."""


def may_give(caller: Caller, role: str, user: Thing) -> bool:
    """Whether a caller may give a user that role, or take it away."""
    if role == ADMIN:
        return caller.kind in ("owner", "local")
    if caller.is_admin:
        return True
    return not _GIVEN_BY.get(role, _NOBODY).isdisjoint(_relations(caller, user))


def outranked(caller: Caller, roles: Collection[str], user: Thing) -> bool:
    """Whether a user with these roles may do more than a caller who is to change them.

    Who could set the password of somebody mightier would be as mighty.
    """
    if caller.is_admin or caller.user_id == user.user_id:
        return False
    own = caller.roles if caller.account_id == user.account_id else frozenset()
    return any(role not in own and not may_give(caller, role, user) for role in roles)


def _relations(caller: Caller, thing: Thing) -> set[Relation]:
    found: set[Relation] = {"anybody"}
    if caller.account_id is not None and caller.account_id == thing.account_id:
        found.add("member")
        if ACCOUNT_ADMIN in caller.roles:
            found.add("account-admin")
    if CONSULTANT in caller.roles and caller.account_id is not None:
        if caller.account_id == thing.consultancy_id:
            found.add("consultant")
        if CONSULTANCY in caller.account_roles:
            found.add("consultancy")
    if caller.user_id is not None and caller.user_id == thing.user_id:
        found.add("oneself")
    return found
