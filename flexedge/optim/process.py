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
    runs: int = 1,
) -> BoolArray | None:
    """The slots in which a process of ``n_slots`` runs, or None where there is no room.

    INFLEXIBLE runs at the first start without a forbidden slot, BREAKABLE in the cheapest allowed
    slots (dearest for MAX), SHIFTABLE in one piece at the cheapest allowed start; ties go to the
    earliest. Of several ``runs`` each is a piece of its own, and they do not overlap. A process
    longer than the window fills it. ``price`` has a finite value per slot, ``allowed`` a truth;
    else ``ValueError``.
    """
    if price.shape != allowed.shape or price.ndim != 1:
        raise ValueError(f"{price.shape} prices for {allowed.shape} slots")
    if n_slots < 0 or not np.isfinite(price).all():
        raise ValueError("a process needs a length and a price for every slot")
    whole = process_type == "BREAKABLE" or runs == 1
    n = min(n_slots * runs if whole else n_slots, len(price))
    if int(allowed.sum()) < (n if whole else n * runs):
        return None
    cost = price if sense == "MIN" else -price
    running = np.zeros(len(price), dtype=np.bool_)
    if process_type == "BREAKABLE":
        slots = np.flatnonzero(allowed)
        running[slots[np.argsort(cost[slots], kind="stable")[:n]]] = True
        return running
    if n == 0:
        return running
    may = starts(allowed, n)
    if process_type == "INFLEXIBLE":
        begins = earliest(may, n, runs)
    elif runs == 1:
        at = np.flatnonzero(may)
        sums = np.lib.stride_tricks.sliding_window_view(cost, n).sum(axis=1)[at]
        least = sums.min(initial=np.inf) + _TIE * float(np.abs(cost).sum())
        begins = np.zeros(len(price))
        begins[at[sums <= least][:1]] = 1.0
    else:
        begins = dearest(may, -following(cost, n), n, runs)
    if begins.sum() < runs:
        return None
    for start in np.flatnonzero(begins).tolist():
        running[start : start + n] = True
    return running


def starts(allowed: BoolArray, length: int) -> FloatArray:
    """1 where a piece may begin: all its slots are allowed, and within the window."""
    may = np.zeros(len(allowed))
    if length <= len(allowed):
        whole = np.lib.stride_tricks.sliding_window_view(allowed, length)
        may[: len(whole)] = whole.all(axis=1)
    return may


def following(values: FloatArray, length: int) -> FloatArray:
    """The sum of each value and those after it, ``length`` in all; 0 where there are fewer."""
    sums = np.zeros(len(values))
    if length <= len(values):
        whole = np.lib.stride_tricks.sliding_window_view(values, length)
        sums[: len(whole)] = whole.sum(axis=1)
    return sums


def earliest(may: FloatArray, length: int, runs: int) -> FloatArray:
    """Of the starts at which a piece may begin (not 0), the first ``runs`` that do not overlap."""
    chosen = np.zeros_like(may)
    free = 0
    for step in np.flatnonzero(may).tolist():
        if step >= free and chosen.sum() < runs:
            chosen[step] = 1.0
            free = step + length
    return chosen


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
