"""The table of all that can be asked of the API."""

from collections.abc import Callable
from typing import Final

from flexedge.web.api import data, docs, explain, gateway, live_site, overrides, public, upload
from flexedge.web.api.op import Op
from flexedge.web.api.parts import Parts

RESOURCES: Final[tuple[Callable[[Parts], tuple[Op, ...]], ...]] = (
    # One line for each module, in the order in which somebody new would read of them.
    data.operations,
    upload.operations,
    gateway.operations,
    explain.operations,
    overrides.operations,
    live_site.operations,
)


def operations(parts: Parts) -> tuple[Op, ...]:
    """Every operation, in the order of the documentation."""
    ops = tuple(op for resource in RESOURCES for op in resource(parts))
    ops = (*public.operations(parts, ops), *ops)
    return (*docs.operations(ops), *ops)
