"""Handlers called as the server calls them, over a gateway whose lines are a list."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers

from flexedge.domain.rights import Caller
from flexedge.gateway.edge import Edge
from flexedge.gateway.service.work import Work
from flexedge.store.tables.accounts import Account
from flexedge.web.api.op import Call, Method, Op, Reply
from flexedge.web.api.parts import Parts
from flexedge.web.feed import Feed

if TYPE_CHECKING:
    from tests.gateway.conftest import World

OWNER = Caller("owner", name="owner")
MEMBER = Caller("user", user_id=1, name="mia", account_id=1)
HEAD = Caller("user", user_id=2, name="hans", account_id=1, roles=frozenset({"account-admin"}))
STRANGER = Caller("user", user_id=3, name="sue", account_id=2, roles=frozenset({"account-admin"}))


def parts_of(world: "World", *, site: bool = True) -> Parts:
    """What answers requests about a world; ``site`` False: as if it only served."""
    gateway, window = world.gateway, world.window()
    if not gateway.state.accounts.all():
        for name in ("Hut", "Other"):
            gateway.state.accounts.add(Account(name))
    work = Work(gateway.state.jobs, {}, lambda: world.now)
    if not site:
        return Parts(gateway.state, gateway.beliefs, work, lambda: world.now)
    return Parts(
        gateway.state, gateway.beliefs, work, lambda: world.now, window,
        edge=Edge(gateway, lambda: world.now, 1.0), feed=Feed(window, 0.01),
    )  # fmt: skip


def call(
    parts: Parts, ops: Sequence[Op], method: Method, place: str, caller: Caller = OWNER, **more: Any
) -> Reply:
    """The reply of one operation; ``more``: body, query, names in the path."""
    op = next(one for one in ops if (one.method, one.path) == (method, f"/api/v3_0/gateway{place}"))
    return op.run(
        Call(
            caller=caller, now=parts.now(), path=more.get("names", {}), query=more.get("query"),
            body=more.get("body"), headers=Headers(), address="127.0.0.1",
        )
    )  # fmt: skip
