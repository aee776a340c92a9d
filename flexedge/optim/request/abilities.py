"""What else a device can and cannot do: modes, ramps, curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from flexedge.domain import units
from flexedge.domain.series import FloatArray
from flexedge.errors import BadField
from flexedge.optim.device import Curve
from flexedge.optim.request.amounts import MOST, Reader
from flexedge.optim.request.fields import Fields

BANDS = ("operation-modes", "power-steps", "minimum-power")
_ROUNDING = 1e-9

Band = tuple[float, float]
Ends = tuple[FloatArray, FloatArray]
"""The least and the most power in each step."""


def one(fields: Fields, key: str, dimension: units.Dimension) -> float | None:
    """One fixed quantity, or None where the field is not given."""
    if not fields.has(key):
        return None
    return _quantity(fields, key, fields.data[key], dimension)


def _quantity(fields: Fields, key: str, raw: object, dimension: units.Dimension) -> float:
    try:
        found = units.quantity(raw, dimension)
    except ValueError as error:
        fields.fail(key, str(error))
    if abs(found) > MOST:
        fields.fail(key, f"{raw!r} is beyond all measure")
    return found


@dataclass(frozen=True, slots=True)
class Ramps:
    """By how much a power may rise and fall per step, and what it was before the first."""

    rise: float | None = None
    fall: float | None = None
    before: float | None = None


def ramps(fields: Fields, reader: Reader, ends: Ends) -> Ramps:
    """Ramp limits; a power at the start that they and the capacities cannot follow is moved."""
    rise, fall = (_ramp(fields, f"ramp-{way}-limit", reader.grid.hours) for way in ("up", "down"))
    before = began = one(fields, "power-at-start", "power")
    if began is not None and before is not None:
        steps = np.arange(1, reader.grid.n + 1)
        if fall is not None:
            before = min(before, float((ends[1] + fall * steps).min()))
        if rise is not None:
            before = max(before, float((ends[0] - rise * steps).max()))
        if before != began:
            reader.notes.append(
                f"{fields.at('power-at-start')}: {began:g} kW is more than the capacities and "
                f"ramps can follow: taken as {before:g} kW"
            )
    return Ramps(rise, fall, before)


def _ramp(fields: Fields, key: str, hours: float) -> float | None:
    """A power per time ("10 kW/h") as power per step."""
    if not fields.has(key):
        return None
    try:
        return units.ramp(fields.text(key)) * hours
    except ValueError as error:
        fields.fail(key, str(error))


def modes(fields: Fields, reader: Reader, ends: Ends) -> tuple[Band, ...]:
    """The bands of power a device keeps to: of operation-modes, power-steps or minimum-power."""
    given = [key for key in BANDS if fields.has(key)]
    if len(given) > 1:
        fields.fail(given[1], f"and {given[0]} exclude each other: operation-modes can say both")
    if fields.has("operation-modes"):
        return _modes(fields)
    if fields.has("power-steps"):
        steps = [_quantity(fields, f"power-steps[{number}]", raw, "power")
                 for number, raw in enumerate(fields.items("power-steps"))]  # fmt: skip
        return tuple((step, step) for step in sorted({0.0, *steps}))
    return _above_least(fields, reader, ends)


def _above_least(fields: Fields, reader: Reader, ends: Ends) -> tuple[Band, ...]:
    """Off, or at least so much: in each direction that the device has."""
    least = one(fields, "minimum-power", "power")
    if least is None:
        return ()
    if least < 0:
        fields.fail("minimum-power", "should not be negative: it holds in both directions")
    if not least:
        return ()
    bands: list[Band] = [(0.0, 0.0)]
    for sign, most in ((1.0, float(ends[1].max())), (-1.0, float(-ends[0].min()))):
        if most >= least:
            bands.append((least, most) if sign > 0 else (-most, -least))
        elif most > 0:
            way = "draw" if sign > 0 else "give"
            reader.notes.append(f"{fields.at('minimum-power')}: the device can {way} {most:g} kW "
                                f"at most: it never does")  # fmt: skip
    return tuple(bands)


def _modes(fields: Fields) -> tuple[Band, ...]:
    bands = []
    for mode in fields.objects("operation-modes"):
        mode.refuse_unknown(("consumption-range", "production-range", "name"))
        up, down = _range(mode, "consumption-range"), _range(mode, "production-range")
        if up is None and down is None:
            mode.fail("consumption-range", "or production-range is missing")
        if up is not None and down is not None and (up[0] or down[0]):
            mode.fail("production-range", "both ranges of one mode start at 0 kW")
        low, high = up or (0.0, 0.0)
        if down is not None:
            low, high = -down[1], (high if up is not None else -down[0])
        bands.append((low, high))
    return tuple(bands)


def check_gaps(fields: Fields, bands: Sequence[Band], found: Ramps) -> None:
    """A ramp has to get from band to band, but for that from off to the least power."""
    kinds = [sorted(b for b in bands if b[0] > 0), sorted(b for b in bands if b[1] < 0)]
    gaps = [after[0] - before[1] for kind in kinds for before, after in pairwise(kind)]
    widest = max(gaps, default=0.0)
    for key, most in (("ramp-up-limit", found.rise), ("ramp-down-limit", found.fall)):
        if most is not None and most < widest - _ROUNDING:
            given = next(name for name in BANDS if fields.has(name))
            fields.fail(key, f"is {most:g} kW in one step, but {given} are {widest:g} kW apart: "
                        "it would never get from one to the next")  # fmt: skip


def _range(mode: Fields, key: str) -> tuple[float, float] | None:
    if not mode.has(key):
        return None
    ends = mode.items(key)
    if len(ends) != 2:  # noqa: PLR2004 - from, to
        mode.fail(key, "should be two powers, such as ['1.4 kW', '7.4 kW']")
    low, high = (_quantity(mode, key, end, "power") for end in ends)
    if not 0 <= low <= high:
        mode.fail(key, "should go from a lower power to a higher one, none below 0")
    return low, high


def curve(fields: Fields, key: str, whole: float) -> Curve | None:
    """Power over what is stored (``whole`` is 100 %); the curve may only bend downwards."""
    points = []
    for point in fields.objects(key):
        point.refuse_unknown(("soc", "power"))
        y = one(point, "power", "power")
        if not point.has("soc") or y is None:
            point.fail("soc", "and power are both needed: {'soc': '8 kWh', 'power': '3 kW'}")
        if y < 0:
            point.fail("power", "should not be negative")
        points.append((_stored(point, whole), y))
    if not points:
        return None
    found = Curve(tuple(x for x, _ in points), tuple(y for _, y in points))
    if len(points) < 2 or (np.diff(found.x) <= 0).any():  # noqa: PLR2004 - a line has two ends
        fields.fail(key, "needs at least two points of rising soc")
    if not max(found.y):
        fields.fail(key, "is nowhere above 0 kW")
    slope = np.diff(found.y) / np.diff(found.x)
    if (np.diff(slope) > _ROUNDING).any():
        fields.fail(key, "should never turn upwards: its slope may only fall")
    return found


def _stored(point: Fields, whole: float) -> float:
    raw = point.data["soc"]
    if isinstance(raw, str) and raw.strip().endswith("%"):
        if not np.isfinite(whole):
            point.fail("soc", "is a share: of what? Say soc-max")
        return (one(point, "soc", "share") or 0.0) * whole
    return one(point, "soc", "energy") or 0.0


def part_load(fields: Fields, reader: Reader) -> Curve | None:
    """Stored power over power drawn, from efficiencies at some powers and nothing at none."""
    key = "part-load-efficiency"
    points = [(0.0, 0.0)]
    for point in fields.objects(key):
        point.refuse_unknown(("power", "efficiency"))
        x = one(point, "power", "power")
        if x is None or not point.has("efficiency"):
            point.fail("power", "and efficiency are both needed")
        if x <= 0:
            point.fail("power", "should be above 0: from there on the first efficiency holds")
        share = reader.amount(point.data["efficiency"], point.at("efficiency"), ["share"], bare=1.0)
        if share.fixed is None or share.fixed < 0:
            point.fail("efficiency", "should be a fixed share, such as '320%' or 3.2")
        points.append((x, x * share.fixed))
    if len(points) == 1:
        return None
    for other in ("charging-efficiency", "roundtrip-efficiency"):
        if fields.has(other):
            fields.fail(key, f"takes the place of {other}: give one of them")
    found = Curve(tuple(x for x, _ in points), tuple(y for _, y in points))
    if (np.diff(found.x) <= 0).any():
        fields.fail(key, "needs points of rising power")
    return found


def values_at_end(
    fields: Fields, reader: Reader, soc_max_kwh: float | None
) -> tuple[tuple[float, float], ...]:
    """soc-value-at-end: up to how many kWh, and how much per kWh. Raises ``BadField``."""
    key = "soc-value-at-end"
    raw = fields.data[key]
    if not isinstance(raw, list):
        return ((np.inf, _price(reader, raw, fields.at(key))),)
    found = []
    for part in fields.objects(key):
        part.refuse_unknown(("up-to", "value"))
        end = np.inf
        if part.has("up-to"):
            amount = reader.amount(
                part.data["up-to"], part.at("up-to"), ["energy"], whole=soc_max_kwh
            )
            if amount.fixed is None:
                part.fail("up-to", "should be one fixed energy, such as '4 kWh'")
            end = amount.fixed
        found.append((end, _price(reader, part.data.get("value"), part.at("value"))))
    ends, worth = [end for end, _ in found], [value for _, value in found]
    rising = all(a < b for a, b in pairwise([0.0, *ends]))
    if not found or not rising or any(a < b for a, b in pairwise(worth)):
        fields.fail(key, "should go up in 'up-to' and down in 'value'")
    if np.isfinite(ends[-1]):  # what is stored beyond that is worth nothing more
        found.append((np.inf, min(worth[-1], 0.0)))
    return tuple(found)


def _price(reader: Reader, raw: object, path: str) -> float:
    amount = reader.amount(raw, path, ["energy-price"])
    if amount.fixed is None:
        raise BadField(path, "should be one fixed price, such as '0.10 EUR/kWh'")
    return amount.fixed
