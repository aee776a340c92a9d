"""What assets do that a centre plans, and why that is not followed where it is not."""

from collections.abc import Iterator
from datetime import datetime

from flexedge.gateway.gateway import Gateway
from flexedge.wire import sync as wire


def plans(gateway: Gateway | None, now: datetime) -> tuple[wire.PlannedTold, ...]:
    """Of each asset whose ``planner`` is not the gateway alone; none where there is no site."""
    return () if gateway is None else tuple(_plans(gateway, now))


def _plans(gateway: Gateway, now: datetime) -> Iterator[wire.PlannedTold]:
    troubles = gateway.elsewhere.troubles
    for unit in gateway.plant.units:
        given = gateway.elsewhere.of(unit, now)
        if unit.asset.planner == "local":
            continue
        yield wire.PlannedTold(
            asset=unit.name, planner=unit.asset.planner, in_force=given is not None,
            centre=None if given is None else given.centre,
            made_at=None if given is None else given.made_at,
            until=None if given is None else given.valid_until,
            words=gateway.elsewhere.words(unit, now), trouble=troubles.get(unit.name, ""),
        )  # fmt: skip
