"""What else a device can and cannot do: modes, ramps, starts, curves."""

import numpy as np

from flexedge.domain import units
from flexedge.domain.series import FloatArray
from flexedge.optim.device import Curve, Running
from flexedge.optim.request.amounts import Reader
from flexedge.optim.request.fields import Fields


def one(fields: Fields, key: str, dimension: units.Dimension) -> float | None:
    """One fixed quantity, or None where the field is not given."""
    if not fields.has(key):
        return None
    try:
        return units.quantity(fields.data[key], dimension)
    except ValueError as error:
        fields.fail(key, str(error))


def ramp(fields: Fields, key: str, hours: float) -> float | None:
    """A power per time ("10 kW/h") as power per step."""
    if not fields.has(key):
        return None
    try:
        return units.ramp(fields.text(key)) * hours
    except ValueError as error:
        fields.fail(key, str(error))


def modes(fields: Fields, max_kw: FloatArray) -> tuple[tuple[float, float], ...]:
    """The bands of power a device keeps to: of operation-modes, power-steps or minimum-power."""
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
    steps = [_step(fields, number, raw) for number, raw in enumerate(fields.items("power-steps"))]
    if steps:
        bands += [(0.0, 0.0), *((step, step) for step in steps if step)]
    least = one(fields, "minimum-power", "power")
    if least is not None:
        most = float(max_kw.max())
        bands += [(0.0, 0.0), *([(least, most)] if 0 < least <= most else [])]
    return tuple(bands)


def _step(fields: Fields, number: int, raw: object) -> float:
    try:
        return units.quantity(raw, "power")
    except ValueError as error:
        fields.fail(f"power-steps[{number}]", str(error))


def _range(mode: Fields, key: str) -> tuple[float, float] | None:
    if not mode.has(key):
        return None
    ends = mode.items(key)
    if len(ends) != 2:  # noqa: PLR2004 - from, to
        mode.fail(key, "should be two powers, such as ['1.4 kW', '7.4 kW']")
    try:
        low, high = (units.quantity(end, "power") for end in ends)
    except ValueError as error:
        mode.fail(key, str(error))
    if not 0 <= low <= high:
        mode.fail(key, "should go from a lower power to a higher one, none below 0")
    return low, high


def running(fields: Fields, reader: Reader) -> Running | None:
    """What it takes to start and stop; None where nothing is said of that."""
    keys = ("start-up-cost", "minimum-up-time", "minimum-down-time", "maximum-starts-per-day")
    if not any(fields.has(key) for key in keys):
        return None
    up, down = (
        -(-fields.duration(key) // reader.grid.resolution) if fields.has(key) else 0
        for key in ("minimum-up-time", "minimum-down-time")
    )
    most = None
    if fields.has("maximum-starts-per-day"):
        most = int(fields.number("maximum-starts-per-day"))
        if most < 0:
            fields.fail("maximum-starts-per-day", "should not be negative")
    return Running(
        _start_price(fields), up, down, most, fields.boolean("on-at-start", default=False)
    )


def _start_price(fields: Fields) -> float:
    """Money per start: "0.5 EUR", or a bare number in the currency of the prices."""
    if not fields.has("start-up-cost"):
        return 0.0
    raw = fields.data["start-up-cost"]
    if isinstance(raw, str):
        number, _, currency = raw.strip().partition(" ")
        try:
            raw = float(number)
        except ValueError:
            raw = None
        if currency and len(currency) != 3:  # noqa: PLR2004 - a currency has three letters
            raw = None
    good = isinstance(raw, int | float) and not isinstance(raw, bool) and 0 <= raw < np.inf
    if not good:
        fields.fail("start-up-cost", "should be an amount of money, such as '0.5 EUR'")
    return float(raw)


def curve(fields: Fields, key: str, over: str, dimension: units.Dimension) -> Curve | None:
    """Power over something that is stored; the curve may only bend downwards."""
    points = []
    for point in fields.objects(key):
        point.refuse_unknown((over, "power"))
        x, y = one(point, over, dimension), one(point, "power", "power")
        if x is None or y is None:
            point.fail(over, f"and power are both needed: {{'{over}': '8 kWh', 'power': '3 kW'}}")
        points.append((x, y))
    if not points:
        return None
    found = Curve(tuple(x for x, _ in points), tuple(y for _, y in points))
    if len(points) < 2 or (np.diff(found.x) <= 0).any():  # noqa: PLR2004 - a line has two ends
        fields.fail(key, f"needs at least two points of rising {over}")
    slope = np.diff(found.y) / np.diff(found.x)
    if (np.diff(slope) > 1e-9).any():  # noqa: PLR2004 - rounding
        fields.fail(key, "should never turn upwards: its slope may only fall")
    return found


def part_load(fields: Fields, reader: Reader) -> Curve | None:
    """Stored power over power drawn, from efficiencies at some powers and nothing at none."""
    points = [(0.0, 0.0)]
    for point in fields.objects("part-load-efficiency"):
        point.refuse_unknown(("power", "efficiency"))
        x = one(point, "power", "power")
        if x is None or not point.has("efficiency"):
            point.fail("power", "and efficiency are both needed")
        share = reader.amount(point.data["efficiency"], point.at("efficiency"), ["share"], bare=1.0)
        if x > 0 and share.fixed is not None:
            points.append((x, x * share.fixed))
    if len(points) == 1:
        return None
    found = Curve(tuple(x for x, _ in points), tuple(y for _, y in points))
    if (np.diff(found.x) <= 0).any() or min(found.y) < 0:
        fields.fail("part-load-efficiency", "needs points of rising power")
    return found
