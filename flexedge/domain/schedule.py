"""What shall happen, what is asked of a device now, and what came of it."""

from dataclasses import dataclass
from datetime import datetime

from flexedge.domain.series import Series


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """The planned power of one asset, and the state of charge it leads to.

    ``power_kw`` is consumption positive, one mean per step; ``soc_kwh`` is the state at the *end*
    of each step (None for assets without storage).
    """

    asset: str
    power_kw: Series
    soc_kwh: Series | None = None


@dataclass(frozen=True, slots=True)
class Setpoint:
    """What a control point shall do now. Nothing is asked for without an end: ``until``."""

    power_kw: float
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The device took the setpoint; ``verified`` once the read-back showed it."""

    power_kw: float
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Clamped:
    """The device took less than was planned; ``by`` names the limits that said so."""

    power_kw: float
    wanted_kw: float
    by: tuple[str, ...]
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The device said no, or did not do as it said."""

    why: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The device could not be asked."""

    why: str


@dataclass(frozen=True, slots=True)
class Released:
    """The device is left to itself."""

    why: str


Outcome = Applied | Clamped | Refused | Unreachable | Released
