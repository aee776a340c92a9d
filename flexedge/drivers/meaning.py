"""What a raw number means: its value in the sensor's unit, and how far it can be trusted."""

import math

from flexedge.config.profile import Meaning
from flexedge.domain.belief import Quality
from flexedge.domain.units import sensor_unit

Judged = tuple[float | None, Quality]
MISSING: Judged = (None, Quality.MISSING)


def judge(meaning: Meaning, raw: float) -> Judged:
    """The value in the sensor's unit and its quality.

    NaN, infinities and codes that ``values`` does not know are missing; what lies outside
    ``valid`` is kept as implausible. Never raises.
    """
    if meaning.values is not None:
        known = meaning.values.get(int(raw)) if math.isfinite(raw) and raw == int(raw) else None
        if known is None:
            return MISSING
        value = known
    else:
        value = raw * meaning.scale
    in_sensor_unit = value * sensor_unit(meaning.unit)[1]
    if not math.isfinite(in_sensor_unit):
        return MISSING
    if meaning.valid is not None and not meaning.valid[0] <= value <= meaning.valid[1]:
        return in_sensor_unit, Quality.IMPLAUSIBLE
    return in_sensor_unit, Quality.GOOD
