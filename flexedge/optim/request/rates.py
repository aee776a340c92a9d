"""How fast a stock can be filled and emptied: what can still be done between two ticks."""

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim.request import abilities
from flexedge.optim.request.amounts import Reader
from flexedge.optim.request.devices import efficiencies, limits
from flexedge.optim.request.entries import Entry
from flexedge.optim.request.terms import Terms


def rates(
    entry: Entry, terms: Terms, reader: Reader, whole: float
) -> tuple[FloatArray, FloatArray]:
    """How fast a device lets its stock rise and fall, in kW of stored energy in each step.

    ``whole`` is what 100 % of the stock are. Raises ``BadField``.
    """
    fields, limit = entry.fields, limits(entry, terms, reader)
    up, down = (
        flow if curve is None else np.minimum(flow, max(curve.y))
        for flow, curve in (
            (limit.consumption_kw, abilities.curve(fields, "charging-power-curve", whole)),
            (limit.production_kw, abilities.curve(fields, "discharging-power-curve", whole)),
        )
    )
    charging, discharging = efficiencies(entry, reader)
    load = abilities.part_load(fields, reader)
    rise = up * charging if load is None else np.interp(up, load.x, np.maximum.accumulate(load.y))
    return rise, down / discharging
