"""How a power becomes the number a device understands."""

import math
from dataclasses import dataclass

from flexedge.config.profile import Amps, Control, Setpoint, When, Written
from flexedge.domain.units import parse_unit
from flexedge.drivers.driver import ControlPoint

_TINY = 1e-9  # relative: 11.04 kW are 16 A at 690 W per ampere, not 15.999999999


@dataclass(frozen=True, slots=True)
class Grip:
    """A control point, with ``amps`` where it is told in amperes."""

    point: ControlPoint
    amps: Amps | None

    @property
    def kw_per_ampere(self) -> float | None:
        """The power of one ampere; None where it is not told in amperes."""
        return None if self.amps is None else self.amps.kw_per_ampere

    def doable(self, power_kw: float) -> float:
        """The power the device can do: inside its range, in steps of whole amperes.

        Below the least current it is 0; never more than was asked for, in either direction.
        """
        if self.point.range_kw is not None:
            low, high = self.point.range_kw
            power_kw = min(max(power_kw, low), high)
        if self.amps is None:
            return power_kw
        amperes = float(toward_zero(power_kw / self.amps.kw_per_ampere))
        amperes = math.copysign(min(abs(amperes), self.amps.most), amperes)
        return amperes * self.amps.kw_per_ampere if abs(amperes) >= self.amps.least else 0.0


def grip(name: str, control: Control) -> Grip:
    """How to take hold of one control point, whose amperes are on the phases it really uses."""
    amps, reach, least_kw = control.amps, control.range, 0.0
    if amps is not None:
        least_kw = amps.least * amps.kw_per_ampere
        reach = reach or (0.0, amps.most * amps.kw_per_ampere)
    point = ControlPoint(
        name=name,
        kind=control.kind,
        range_kw=reach,
        least_kw=least_kw,
        refresh=control.refresh,
        device_timeout=control.device_timeout,
        readback=control.readback,
        readback_tolerance_kw=control.readback_tolerance,
        settle=control.settle,
        writes_per_day=control.writes_per_day,
    )
    return Grip(point, amps)


def toward_zero(number: float) -> int:
    """The whole number at or below in size, forgiving what rounding left."""
    return int(number * (1 + _TINY))


def number(
    write: Written, power_kw: float, kw_per_ampere: float | None, rating_kw: float | None
) -> float | str:
    """The number (or constant text) to write for a power the device can do.

    ``rating_kw`` is what 100 % means. Raises ``ValueError`` when a number is needed that is not
    known or not finite.
    """
    if write.when is not None:
        return code(write.when, power_kw)
    if write.setpoint is None:
        return 0 if write.value is None else write.value
    if not math.isfinite(power_kw):
        raise ValueError(f"{power_kw} is not a power")
    setpoint = write.setpoint
    told = power_kw / _kw_per_unit(setpoint, kw_per_ampere, rating_kw) / setpoint.scale
    if setpoint.round == "down" or parse_unit(setpoint.unit).dimension == "current":
        told = toward_zero(told)
    return told if setpoint.least is None else max(told, setpoint.least)


def code(when: When, power_kw: float) -> int | str:
    """The constant chosen by the sign; where there is none for production, that of zero."""
    if power_kw > 0:
        return when.positive
    if power_kw < 0 and when.negative is not None:
        return when.negative
    return when.zero


def _kw_per_unit(setpoint: Setpoint, kw_per_ampere: float | None, rating_kw: float | None) -> float:
    unit = parse_unit(setpoint.unit)
    per_house_unit = {"power": 1.0, "current": kw_per_ampere, "share": rating_kw}[unit.dimension]
    if per_house_unit is None or not math.isfinite(per_house_unit) or per_house_unit <= 0:
        what = "amps" if unit.dimension == "current" else f"value of {setpoint.relative_to}"
        raise ValueError(f"a setpoint in {setpoint.unit} needs a usable {what}")
    return per_house_unit * unit.factor
