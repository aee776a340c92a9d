"""One value where there are several: of a belief's probabilities, and of several sources."""

from collections.abc import Mapping

import numpy as np

from flexedge.store.rows import Beliefs
from flexedge.store.runs import ends, starts


def newest(rows: Beliefs) -> Beliefs:
    """Of each source's beliefs about an event the one held last, in the order of archives.

    With all its probabilities; ``rows`` in any order. What comes twice is told once.
    """
    if not len(rows):
        return rows
    keys = (rows.probability, rows.belief_us, rows.source, rows.event_us, rows.sensor)
    rows = rows.take(np.lexsort(keys))
    begins = starts(rows.sensor, rows.event_us, rows.source)
    last = rows.belief_us[ends(begins)]
    recent = rows.belief_us == last[np.cumsum(begins) - 1]
    once = starts(rows.sensor, rows.event_us, rows.source, rows.belief_us, rows.probability)
    return rows.take(np.flatnonzero(recent & once))


def medians(rows: Beliefs) -> Beliefs:
    """One row of each belief: the value of the lowest probability from 0.5 on, else the highest.

    So reads timely-beliefs the median of a discrete distribution. ``rows`` are in the order that
    archives promise, and so is what comes back; the probability stays that of the row.
    """
    if not len(rows):
        return rows
    first = np.flatnonzero(starts(rows.sensor, rows.event_us, rows.source, rows.belief_us))
    last = np.append(first[1:], len(rows)) - 1
    below = np.add.reduceat((rows.probability < 0.5).astype(np.int64), first)  # noqa: PLR2004
    return rows.take(np.minimum(first + below, last))


def winners(rows: Beliefs, ranks: Mapping[int, int] | None = None) -> Beliefs:
    """One row of each event of a sensor: of the highest rank, then the one believed last.

    FlexMeasures ranks sources by their version: ``ranks`` by source, 0 where there is none. Of
    sources that are alike in both the one with the lowest number counts. ``rows`` have one row per
    belief, as ``medians`` makes them, in any order; what comes back is by sensor and event.
    """
    rank = np.zeros(len(rows), np.int64)
    if ranks:
        sources, which = np.unique(rows.source, return_inverse=True)
        rank = np.array([ranks.get(int(source), 0) for source in sources], np.int64)[which]
    order = np.lexsort((rows.source, -rows.belief_us, -rank, rows.event_us, rows.sensor))
    best = rows.take(order)
    return best.take(starts(best.sensor, best.event_us))
