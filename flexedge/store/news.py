"""What of a batch of beliefs is news: what is kept, what was said before, what would be replaced.

A belief is all that a source says at one time about an event: one row for each probability.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from flexedge.domain.asset import Knowable
from flexedge.store.horizon import known
from flexedge.store.rows import Beliefs, Micros
from flexedge.store.runs import Mask, anywhere, ends, starts


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a batch."""

    store: Beliefs
    """Rows to keep, in order of sensor, source, event, belief time, probability."""
    replaced: Beliefs
    """Rows that those would replace, held ones or of the batch itself: same sensor, source, event,
    belief time and probability, another value. Where it is not allowed to overwrite, a batch that
    has any is refused as a whole; else these are to be taken out."""
    received: int
    """How many rows were there already, to the letter."""
    unchanged: int
    """How many rows are not kept as they say what the belief before them said."""


def news(new: Beliefs, held: Beliefs, knowable: Mapping[int, Knowable]) -> Verdict:
    """Judge a batch by what is held about its events: every belief of the same sensors and sources.

    A belief that says nothing else than the one that its source held before it about the same event
    is not kept. A forecast (held before the event could be known) is compared with forecasts only,
    and what was held since with such only: that a forecast came true is news. A missing value is
    none. Of beliefs of which anything changed all rows are kept.
    """
    new = new.take(~np.isnan(new.value))
    rows = Beliefs.joined([held, new])
    fresh = np.arange(len(rows)) >= len(held)
    series = (rows.sensor.astype(np.int64) << 32) | rows.source
    order = np.lexsort((rows.probability, rows.belief_us, rows.event_us, series))
    rows, fresh, series = rows.take(order), fresh[order], series[order]

    events = starts(series, rows.event_us)
    beliefs = events | starts(rows.belief_us)
    keys = beliefs | starts(rows.probability)
    altered = ~keys & starts(rows.value) & fresh  # another value than the row before, same key
    held_before = anywhere(~fresh, keys) & ~anywhere(altered, keys)
    wanted = ends(keys) & fresh & ~held_before

    told = _said_before(rows, events, beliefs, known(rows, knowable)) | ~ends(keys)
    unchanged = wanted & ~anywhere(~told | ~fresh, beliefs)
    return Verdict(
        rows.take(wanted & ~unchanged),
        rows.take(np.append(altered[1:], np.zeros(min(len(rows), 1), np.bool_))),
        int((~keys & ~altered & fresh).sum()),
        int(unchanged.sum()),
    )


def _said_before(rows: Beliefs, events: Mask, beliefs: Mask, known_us: Micros) -> Mask:
    """Whether the belief before a row's, about the same event and on the same side, says the same.

    Of values that replace each other the last counts.
    """
    if not len(rows):
        return beliefs
    after = rows.belief_us >= known_us
    belief = np.cumsum(beliefs) - 1
    heads = np.flatnonzero(beliefs)
    follows = np.zeros(len(heads), np.bool_)
    follows[1:] = ~events[heads[1:]] & (after[heads[1:]] == after[heads[:-1]])
    codes, code = np.unique(rows.probability, return_inverse=True)
    place = belief * len(codes) + code
    before = np.searchsorted(place, place - len(codes), side="right") - 1
    found = follows[belief] & (before >= 0) & (place[before] == place - len(codes))
    same: Mask = found & (rows.value[before] == rows.value)
    return same
