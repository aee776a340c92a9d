"""The table of all that can be asked of the API."""

from collections.abc import Callable
from typing import Final

from flexedge.web.api import forecasts, jobs, public, schedules, solve
from flexedge.web.api.op import Op
from flexedge.web.api.parts import Parts

RESOURCES: Final[tuple[Callable[[Parts], tuple[Op, ...]], ...]] = (
    # One line for each module, in the order in which somebody new would read of them.
    schedules.operations,
    forecasts.operations,
    solve.operations,
    jobs.operations,
)


def operations(parts: Parts) -> tuple[Op, ...]:
    """Every operation, in the order of the documentation."""
    ops = tuple(op for resource in RESOURCES for op in resource(parts))
    return (*public.operations(parts, ops), *ops)
