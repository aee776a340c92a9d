"""What people may ask of an asset beside the plan: values with an end, and why one is refused."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from flexedge.errors import RequestError
from flexedge.gateway.health import Health
from flexedge.gateway.plant import Plant, Unit

Action = Literal["charge", "discharge", "consume", "produce", "idle", "release", "no-plan"]
SIGNS: Final[Mapping[Action, float]] = {"charge": 1.0, "consume": 1.0, "discharge": -1.0,
                                        "produce": -1.0}  # fmt: skip
"""Which way the power of an action flows: consumption is positive."""
SLACK: Final = timedelta(minutes=1)
"""By so much a clock may be set back without a doubt about what was asked before."""
_Power = Annotated[float, Field(allow_inf_nan=False)]
_UNTIL = "until should be a time ahead, at most {} h: nothing is asked of a device without an end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What an asset shall do instead of what is planned."""

    number: int
    asset: str
    action: Action
    power_kw: _Power | None
    """Consumption positive; None where the action has none."""
    since: AwareDatetime
    until: AwareDatetime
    who: str
    why: str

    def sentence(self, zone: tzinfo) -> str:
        """What is asked, by whom and until when, by the clock on site."""
        until = f"{self.until.astimezone(zone):%d %b %H:%M}"
        power = "" if self.power_kw is None else f" with {abs(self.power_kw):g} kW"
        why = f" ({self.why})" if self.why else ""
        return f"override by {self.who}: {self.action}{power} until {until}{why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tightening:
    """A limit beside the installer's. None: nothing is tightened on that side."""

    number: int
    asset: str | None
    """None: the grid connection."""
    low_kw: Annotated[float, Field(le=0.0, allow_inf_nan=False)] | None
    """Most production or export, negative or zero."""
    high_kw: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None
    """Most consumption or import."""
    since: AwareDatetime
    until: AwareDatetime
    who: str
    why: str


def demand_time(health: Health, until: datetime, now: datetime, longest: timedelta) -> None:
    """Refuse what has no end that can be told: 409 without a trusted clock, 422."""
    if not health.time_known:
        raise RequestError(
            409, "The gateway's clock is not trusted, so nobody knows when this would end."
        )
    if not now < until <= now + longest:
        raise RequestError(422, _UNTIL.format(f"{longest / timedelta(hours=1):g}") + ".")


def controlled(plant: Plant, asset: str) -> Unit:
    """The asset that is meant. Refuses unknown ones (422) and those without a control (409)."""
    unit = next((one for one in plant.units if one.name == asset), None)
    if unit is None:
        raise RequestError(422, f"There is no asset {asset!r}{_instead(plant, asset)}.")
    if unit.control is not None:
        return unit
    if unit.asset.device is None:
        why = "no device belongs to it"
    elif not unit.asset.control:
        why = "the site file says control: false"
    else:
        why = f"the profile of its device {unit.asset.device} has no control for it"
    raise RequestError(409, f"{asset} cannot be controlled: {why}.")


def _instead(plant: Plant, name: str) -> str:
    mine = [unit.name for unit in plant.controlled if unit.asset.device == name]
    if mine:
        return f"; it is a device, name its asset: {' or '.join(mine)}"
    names = ", ".join(unit.name for unit in plant.controlled)
    return f"; those that can be controlled are {names}" if names else "; none can be controlled"


def power_of(unit: Unit, action: Action, power_kw: float | None) -> float | None:
    """The power asked for, consumption positive. Refuses (422) what the asset can never do."""
    sign = SIGNS.get(action)
    if sign is None:
        if power_kw is not None:
            raise RequestError(422, f"power has no meaning with {action}; leave it out.")
        return None
    if power_kw is None or not math.isfinite(power_kw) or power_kw <= 0.0:
        raise RequestError(
            422, f"power should be above zero, as '2 kW': {action} says which way it flows."
        )
    low, high = unit.range_kw
    most = high if sign > 0.0 else -low
    if power_kw > most or most <= 0.0:
        can = f"at most {most:g} kW" if most > 0.0 else "not at all"
        raise RequestError(422, f"{unit.name} can {action} {can}, not with {power_kw:g} kW.")
    if sign > 0.0 and power_kw < unit.least_kw:
        raise RequestError(422, f"{unit.name} can {action} with at least {unit.least_kw:g} kW.")
    return sign * power_kw
