"""The table of all that can be asked of the API."""

from collections.abc import Callable
from typing import Final

from flexedge.web.api import accounts, login, plans, public, tokens, users
from flexedge.web.api.desk import Desk
from flexedge.web.api.op import Op
from flexedge.web.api.parts import Parts
from flexedge.web.auth import Access

RESOURCES: Final[tuple[Callable[[Parts], tuple[Op, ...]], ...]] = (
    # One line for each module, in the order in which somebody new would read of them.
)


PEOPLE: Final[tuple[Callable[[Desk], tuple[Op, ...]], ...]] = (
    login.operations,
    accounts.operations,
    users.operations,
    tokens.operations,
    plans.operations,
)
"""Those that are about who is who."""


def operations(parts: Parts, access: Access) -> tuple[Op, ...]:
    """Every operation, in the order of the documentation."""
    people = of_people(Desk(parts.state, access, parts.now))
    things = tuple(op for resource in RESOURCES for op in resource(parts))
    ops = people + things
    return (*public.operations(parts, ops), *ops)


def of_people(desk: Desk) -> tuple[Op, ...]:
    """The operations on accounts, users and keys."""
    return tuple(op for resource in PEOPLE for op in resource(desk))
