"""When a process runs: FlexMeasures' three kinds, without a solver."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray

BoolArray = NDArray[np.bool_]
ProcessType = Literal["INFLEXIBLE", "BREAKABLE", "SHIFTABLE"]
Sense = Literal["MIN", "MAX"]
_TIE = 1e-9  # relative: sums that differ by rounding are equal


def place(
    process_type: ProcessType,
    n_slots: int,
    price: FloatArray,
    allowed: BoolArray,
    sense: Sense = "MIN",
) -> BoolArray | None:
    """The slots in which a process of ``n_slots`` runs, or None where there is no room.

    INFLEXIBLE runs at the first start without a forbidden slot, BREAKABLE in the cheapest allowed
    slots (dearest for MAX), SHIFTABLE in one piece at the cheapest allowed start; ties go to the
    earliest. A process longer than the window fills it. ``price`` has a finite value per slot,
    ``allowed`` a truth; else ``ValueError``.
    """
    if price.shape != allowed.shape or price.ndim != 1:
        raise ValueError(f"{price.shape} prices for {allowed.shape} slots")
    if n_slots < 0 or not np.isfinite(price).all():
        raise ValueError("a process needs a length and a price for every slot")
    n = min(n_slots, len(price))
    if int(allowed.sum()) < n:
        return None
    cost = price if sense == "MIN" else -price
    running = np.zeros(len(price), dtype=np.bool_)
    if process_type == "BREAKABLE":
        slots = np.flatnonzero(allowed)
        running[slots[np.argsort(cost[slots], kind="stable")[:n]]] = True
        return running
    if n == 0:
        return running
    starts = np.flatnonzero(np.lib.stride_tricks.sliding_window_view(allowed, n).all(axis=1))
    if not starts.size:
        return None
    start = starts[0]
    if process_type == "SHIFTABLE":
        sums = np.lib.stride_tricks.sliding_window_view(cost, n).sum(axis=1)[starts]
        least = sums.min() + _TIE * float(np.abs(cost).sum())
        start = starts[int(np.argmax(sums <= least))]
    running[start : start + n] = True
    return running
