"""The grid connection as it is planned with: a little less than it can, and what it had already."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from flexedge.optim.market import Connection


def guarded(
    asked: Connection, margin_kw: float, peaks_kw: Callable[[], tuple[float, float]]
) -> Connection:
    """Limits kept below by the guard's margin; peaks that this month had already.

    ``peaks_kw``: of consumption and of production; only asked for where a peak has a price.
    """

    def less(limit: Any, margin_kw: float) -> Any:
        return None if limit is None else np.maximum(limit - margin_kw, 0.0)

    bought, sold = asked.peak_consumption_kw, asked.peak_production_kw
    if asked.peak_price is not None or asked.peak_production_price is not None:
        had = peaks_kw()
        bought, sold = np.maximum(bought, had[0]), np.maximum(sold, had[1])
    return replace(
        asked,
        power_capacity_kw=less(asked.power_capacity_kw, margin_kw),
        consumption_capacity_kw=less(asked.consumption_capacity_kw, margin_kw),
        production_capacity_kw=less(asked.production_capacity_kw, margin_kw),
        phase_capacity_kw=less(asked.phase_capacity_kw, margin_kw / 3),
        peak_consumption_kw=bought,
        peak_production_kw=sold,
    )
