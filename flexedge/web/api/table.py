"""The table of all that can be asked of the API."""

from collections.abc import Callable
from typing import Final

from flexedge.web.api import (
    accounts,
    annotations,
    asset_copy,
    asset_list,
    assets,
    audit,
    centres,
    charts,
    data,
    dev,
    docs,
    explain,
    forecasts,
    gateway,
    jobs,
    kpis,
    legacy,
    live,
    live_site,
    login,
    many,
    ops,
    overrides,
    plans,
    preferences,
    public,
    rejected,
    schedules,
    sensor_list,
    sensors,
    solve,
    sources,
    stats,
    status,
    sync,
    tokens,
    upload,
    users,
)
from flexedge.web.api.desk import Desk
from flexedge.web.api.op import Op
from flexedge.web.api.parts import Parts
from flexedge.web.auth import Access

RESOURCES: Final[tuple[Callable[[Parts], tuple[Op, ...]], ...]] = (
    # One line for each module, in the order in which somebody new would read of them.
    asset_list.operations,
    assets.operations,
    asset_copy.operations,
    preferences.operations,
    sensor_list.operations,
    sensors.operations,
    sources.operations,
    data.operations,
    upload.operations,
    many.operations,
    live.operations,
    legacy.operations,
    schedules.operations,
    forecasts.operations,
    solve.operations,
    jobs.operations,
    stats.operations,
    status.operations,
    annotations.operations,
    charts.operations,
    kpis.operations,
    audit.operations,
    gateway.operations,
    explain.operations,
    overrides.operations,
    live_site.operations,
    sync.operations,
    rejected.operations,
    centres.operations,
    ops.operations,
    dev.operations,
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
    own = people + things
    told = (*public.operations(parts, own), *own)
    return (*docs.operations(told), *told)


def of_people(desk: Desk) -> tuple[Op, ...]:
    """The operations on accounts, users and keys."""
    return tuple(op for resource in PEOPLE for op in resource(desk))
