"""Where the powers of a plan are written: sums of devices, on one sensor or split over two."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from flexedge.domain.series import FloatArray
from flexedge.optim.request.source import Sensor


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """A power that is written to a sensor: the sum of some devices and of what is fixed."""

    sensor: Sensor
    devices: tuple[str, ...]
    fixed_kw: FloatArray
    part: str = "all"
    """"all", or only what is consumed ("up") or produced ("down")."""
    counts: Literal["consumption", "production"] | None = None
    """What its field says that it is; None for a power sensor, which may be either."""


def split(
    up: Sensor | None, down: Sensor | None, names: tuple[str, ...], fixed: FloatArray
) -> Iterator[Output]:
    """One sensor gets the whole profile; two get what is consumed and what is produced."""
    both = up is not None and down is not None
    if up is not None:
        yield Output(up, names, fixed, "up" if both else "all", "consumption")
    if down is not None:
        yield Output(down, names, fixed, "down" if both else "all", "production")
