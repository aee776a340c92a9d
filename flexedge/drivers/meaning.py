"""What a raw number means: its value in the sensor's unit, and how far it can be trusted."""

import math
from collections.abc import Mapping

from flexedge.config.profile import Meaning
from flexedge.domain.belief import Quality
from flexedge.domain.units import sensor_unit

Judged = tuple[float | None, Quality]
MISSING: Judged = (None, Quality.MISSING)
_CERTAIN: Judged = (1.0, Quality.GOOD)


def judge(meaning: Meaning, raw: float) -> Judged:
    """What the number itself says in the sensor's unit, and its quality.

    With ``relative_to`` that is a share of 1, which ``complete`` makes a power. NaN, infinities
    and codes that ``values`` does not know are missing; what lies outside ``valid`` is kept as
    implausible. Never raises.
    """
    if meaning.values is not None:
        known = meaning.values.get(int(raw)) if math.isfinite(raw) and raw == int(raw) else None
        if known is None:
            return MISSING
        value = known
    else:
        value = raw * meaning.scale
    in_sensor_unit = value * _per_unit(meaning) + 0.0  # never -0
    if not math.isfinite(in_sensor_unit):
        return MISSING
    if meaning.valid is not None and not meaning.valid[0] <= value <= meaning.valid[1]:
        return in_sensor_unit, Quality.IMPLAUSIBLE
    return in_sensor_unit, Quality.GOOD


def inputs(meaning: Meaning) -> tuple[str, ...]:
    """The other points that ``complete`` needs."""
    rating = () if meaning.relative_to is None else (meaning.relative_to,)
    return (*rating, *meaning.zero_when)


def complete(meaning: Meaning, own: Judged, others: Mapping[str, Judged]) -> Judged:
    """The value with what other points add: the rating it is a share of, switches that make it 0.

    ``own`` and ``others`` (by point) are what ``judge`` made of them; no more is looked up than
    that, so points that depend on each other do no harm. Missing while any of them is, or the
    rating is not above 0; implausible while any of them is.
    """
    rating = others.get(meaning.relative_to, MISSING) if meaning.relative_to else _CERTAIN
    switches = [(others.get(name, MISSING), off) for name, off in meaning.zero_when.items()]
    qualities = {own[1], rating[1], *(switch[1] for switch, _ in switches)}
    if own[0] is None or rating[0] is None or rating[0] <= 0 or Quality.MISSING in qualities:
        return MISSING
    off = any(shown is not None and math.isclose(shown, zero) for (shown, _), zero in switches)
    value = 0.0 if off else own[0] * rating[0]
    if not math.isfinite(value):
        return MISSING
    return value, Quality.IMPLAUSIBLE if Quality.IMPLAUSIBLE in qualities else Quality.GOOD


def _per_unit(meaning: Meaning) -> float:
    """What one of the point's own unit is in the sensor's."""
    if meaning.relative_to is not None:
        return 0.01
    if meaning.amps is not None:
        return meaning.amps.kw_per_ampere
    return sensor_unit(meaning.unit)[1]
