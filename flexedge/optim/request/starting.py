"""What it takes to start and stop a device, and what is known of that from before."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from flexedge.optim.device import Running
from flexedge.optim.request.abilities import Band, Ramps, one
from flexedge.optim.request.amounts import Reader
from flexedge.optim.request.fields import Fields

_STARTING = ("start-up-cost", "minimum-up-time", "minimum-down-time", "maximum-starts-per-day")
_MOST = 1e9  # money


def running(fields: Fields, reader: Reader, bands: Sequence[Band], found: Ramps) -> Running | None:
    """What it takes to start and stop; None where nothing is said of that."""
    said = [key for key in _STARTING if fields.has(key)]
    least = min((min(abs(low), abs(high)) for low, high in bands if low or high), default=0.0)
    slowest = min((most for most in (found.rise, found.fall) if most is not None), default=np.inf)
    if not said and least <= slowest:
        _refuse_states(fields)
        return None
    blurred = any(low <= 0 <= high and low != high for low, high in bands)
    if said and (blurred or (0.0, 0.0) not in bands):
        fields.fail(
            said[0],
            "needs to know how little the device draws when it is on: add minimum-power, or "
            "power-steps or operation-modes with 0 kW as one of them",
        )
    if (0.0, 0.0) not in bands:
        return None
    resolution = reader.grid.resolution
    up, down = (
        fields.duration(key) if fields.has(key) else timedelta(0)
        for key in ("minimum-up-time", "minimum-down-time")
    )
    most, before = (
        _count(fields, key) if fields.has(key) else None
        for key in ("maximum-starts-per-day", "starts-today")
    )
    if before is not None and most is None:
        fields.fail("starts-today", "means nothing without maximum-starts-per-day")
    on = _on_at_start(fields)
    return Running(
        _start_price(fields, reader),
        -(-up // resolution),
        -(-down // resolution),
        most,
        on,
        _held(fields, reader, up if on else down),
        before or 0,
    )


def _refuse_states(fields: Fields) -> None:
    for key in ("last-switched", "starts-today", "on-at-start"):
        if fields.has(key):
            fields.fail(key, f"means nothing without one of {', '.join(_STARTING)}")


def _count(fields: Fields, key: str) -> int:
    number = fields.number(key)
    if number < 0 or number != int(number):
        fields.fail(key, "should be a whole number that is not negative")
    return int(number)


def _on_at_start(fields: Fields) -> bool:
    """As it is said, or by the power at the start; off where neither is."""
    power = one(fields, "power-at-start", "power")
    on = fields.boolean("on-at-start", default=bool(power))
    if power is not None and on != bool(power):
        fields.fail("on-at-start", f"contradicts power-at-start, {power:g} kW")
    return on


def _held(fields: Fields, reader: Reader, least: timedelta) -> int:
    """In how many steps it must still stay as it is, since it switched not long ago."""
    if not fields.has("last-switched"):
        return 0
    if not fields.has("on-at-start") and not fields.has("power-at-start"):
        fields.fail("last-switched", "needs on-at-start (or power-at-start): was it on or off?")
    moment, grid = fields.moment("last-switched"), reader.grid
    if moment >= grid.start + grid.resolution:
        fields.fail("last-switched", "should not lie after the start of the schedule")
    left = least - (grid.start - moment)
    return int(min(max(-(-left // grid.resolution), 0), grid.n))


def _start_price(fields: Fields, reader: Reader) -> float:
    """Money per start: "0.5 EUR", or a bare number in the currency of the prices."""
    key = "start-up-cost"
    if not fields.has(key):
        return 0.0
    raw = fields.data[key]
    if isinstance(raw, str):
        number, _, currency = raw.strip().partition(" ")
        try:
            raw = float(number)
        except ValueError:
            raw = None
        if currency and len(currency) != 3:  # noqa: PLR2004 - a currency has three letters
            raw = None
        elif currency and reader.currency not in {None, currency}:
            fields.fail(key, f"is in {currency}, but {reader.currency_path} is in "
                        f"{reader.currency}: all prices need the same currency")  # fmt: skip
    good = isinstance(raw, int | float) and not isinstance(raw, bool) and 0 <= raw < _MOST
    if not good:
        fields.fail(key, "should be an amount of money, such as '0.5 EUR'")
    return float(raw)
