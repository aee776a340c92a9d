"""Quantities with units and ISO 8601 spans, read without any code of flexedge.

Everything is kW, kWh, money per kWh, money per kW, or a plain share.
"""

import math
import re
from datetime import timedelta
from typing import Any

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$")
_PREFIX = {"": 1e-3, "m": 1e-6, "k": 1.0, "M": 1e3, "G": 1e6, "T": 1e9}  # of a watt, in kW
_WATT = re.compile(r"([mkMGT]?)(?:VA|W)(?:[ *·]?(h))?$")
_JOULE = re.compile(r"([mkMGT]?)J$")
_MONEY = re.compile(r"([kM]?)([A-Z]{3}|kg|g|t)$")
_SPAN = re.compile(
    r"(-?)P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$"
)


def unit(text: str) -> tuple[float, str]:
    """Factor into our units, and the kind: power, energy, share, money, per-energy, per-power."""
    text = text.strip().replace("(", "").replace(")", "")
    if text in ("%", "percent"):
        return 0.01, "share"
    if text in ("", "dimensionless"):
        return 1.0, "share"
    if "/" in text:
        above, below = text.split("/", 1)
        size, what = unit(below)
        return money(above)[0] / size, f"per-{what}"
    if watt := _WATT.match(text):
        return _PREFIX[watt[1]], "energy" if watt[2] else "power"
    if joule := _JOULE.match(text):
        return _PREFIX[joule[1]] / 3600.0, "energy"
    return money(text)[0], "money"


def money(text: str) -> tuple[float, str]:
    """Factor and name of a currency, or of what stands for one (kg of CO2)."""
    text = text.strip()
    if text in ("kg", "g", "t"):
        return {"g": 1e-3, "kg": 1.0, "t": 1e3}[text], "kg"
    if found := _MONEY.match(text):
        return {"": 1.0, "k": 1e3, "M": 1e6}[found[1]], found[2]
    raise ValueError(f"{text!r} is no unit")


def currency(text: str) -> str:
    """The currency of a price such as ``0.3 EUR/kWh`` or of a unit such as ``EUR/MWh``."""
    found = _NUMBER.match(text)
    return money((found[2] if found else text).split("/")[0])[1]


def kind(text: str) -> str:
    """What a quantity or a unit measures: power, energy, share, money, per-energy, per-power."""
    found = _NUMBER.match(text)
    return unit(found[2] if found else text)[1]


def amount(value: Any, bare: str = "") -> float:
    """A quantity in our units; a bare number is one of the unit ``bare``."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) * unit(bare)[0]
    found = _NUMBER.match(str(value))
    if not found:
        raise ValueError(f"{value!r} is no quantity")
    number = float(found[1]) * unit(found[2] or bare)[0]
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not finite")
    return number


def span(text: str) -> timedelta:
    """An ISO 8601 duration of weeks, days, hours, minutes and seconds."""
    found = _SPAN.match(text)
    if not found or not any(found.groups()[1:]):
        raise ValueError(f"{text!r} is no duration")
    weeks, days, hours, minutes, seconds = (float(part or 0.0) for part in found.groups()[1:])
    size = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -size if found[1] else size
