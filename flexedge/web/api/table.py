"""The table of all that can be asked of the API."""

from collections.abc import Callable
from typing import Final

from flexedge.web.api import (
    annotations,
    audit,
    charts,
    dev,
    kpis,
    ops,
    public,
    stats,
    status,
)
from flexedge.web.api.op import Op
from flexedge.web.api.parts import Parts

RESOURCES: Final[tuple[Callable[[Parts], tuple[Op, ...]], ...]] = (
    # One line for each module, in the order in which somebody new would read of them.
    stats.operations,
    status.operations,
    annotations.operations,
    charts.operations,
    kpis.operations,
    audit.operations,
    ops.operations,
    dev.operations,
)


def operations(parts: Parts) -> tuple[Op, ...]:
    """Every operation, in the order of the documentation."""
    found = tuple(op for resource in RESOURCES for op in resource(parts))
    return (*public.operations(parts, found), *found)
