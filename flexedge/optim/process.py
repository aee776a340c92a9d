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


def dearest(may: FloatArray, worth: FloatArray, length: int, runs: int) -> FloatArray:
    """Of the starts at which a piece may begin (not 0), the ``runs`` of most worth together.

    Pieces of ``length`` do not overlap; of equals the earliest are taken, and fewer where there is
    no room for all. Returns 1 at each start that is taken.
    """
    n = len(may)
    runs = min(runs, -(-n // length))
    best = np.full((runs + 1, n + length + 1), -np.inf)  # [how many, from which step on]
    best[0] = 0.0
    room = _TIE * float(np.abs(worth).sum())
    for step in range(n - 1, -1, -1):
        best[:, step] = best[:, step + 1]
        if may[step]:
            taken = worth[step] + best[:-1, step + length]
            best[1:, step] = np.maximum(best[1:, step], taken)
    count = int(np.flatnonzero(np.isfinite(best[:, 0]))[-1])
    chosen, step = np.zeros(n), 0
    while count:
        if may[step] and worth[step] + best[count - 1, step + length] >= best[count, step] - room:
            chosen[step] = 1.0
            count, step = count - 1, step + length
        else:
            step += 1
    return chosen
