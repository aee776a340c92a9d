"""What of forecasts and schedules a centre is told: what revises what it knows, and not each time.

A plan is made anew every few minutes for all of the next day or two, so that far more is believed
of each event than anybody reads; and to take in what it holds something of already costs a
FlexMeasures server some thirty times what a new value does. Nothing here is about measured values.
"""

from datetime import timedelta
from typing import Final

import numpy as np

from flexedge.gateway.sync.report import Mask, Way, woven
from flexedge.gateway.sync.runs import Told
from flexedge.store.runs import ends, starts

ROLES: Final = frozenset({"forecast", "schedule"})
"""Of the links that this is about."""
_US: Final = timedelta(microseconds=1)


def newest(told: Told) -> Told:
    """What is believed last of each event."""
    told = told.take(np.lexsort((told.belief_us, told.event_us)))
    return told.take(ends(starts(told.event_us)))


def changed(told: Told, before: dict[int, tuple[float, bool]], way: Way) -> Told:
    """What differs from the values told ``before``, by event; those told now are noted there.

    What is said after the end of an event is never the same as what was said before it.
    """
    after = _after(told, way).tolist()
    mask = np.ones(len(told), np.bool_)
    rows = zip(told.event_us.tolist(), told.value.tolist(), after, strict=True)
    for place, (event, value, known) in enumerate(rows):
        last = before.get(event)
        if last is not None and last[1] == known:
            mask[place] = _differs(value, last[0], way)
        if mask[place]:
            before[event] = value, known
    return told.take(mask)


def standing(told: Told, held: Told, way: Way) -> Told:
    """What of ``told`` stood for long enough to be told, and is a change.

    ``held``: all that is believed of its events. Of what was believed of one event within
    ``way.within`` only the last counts, and of that only where anything changed since what counted
    before it: what came between the two may have been told when it was new.
    What counts next after something told is told with it: a centre drops a belief that says what
    the one before it says, and did so if it heard of that one earlier than of what lies between.
    """
    both, mine = woven(told, held)
    steps = np.cumsum(_steps(both, way))  # the same number: nothing changed between two
    if way.within:
        last = ends(starts(both.event_us, both.belief_us // (way.within // _US)))
        both, mine, steps = both.take(last), mine[last], steps[last]
    change = starts(both.event_us, steps)
    both, mine = both.take(change), mine[change]
    follows = np.zeros(len(both), np.bool_)
    follows[1:] = mine[:-1] & ~starts(both.event_us)[1:]
    return both.take(mine | follows)


def _steps(told: Told, way: Way) -> Mask:
    """Which of beliefs, in order of event and belief time, differ from the one told before them."""
    after = _after(told, way)
    mask = starts(told.event_us, told.value, after)
    places = np.flatnonzero(mask)
    rows = zip(
        places.tolist(), told.event_us[places].tolist(), told.value[places].tolist(),
        after[places].tolist(), strict=True,
    )  # fmt: skip
    before: tuple[int, bool, float] | None = None
    for place, event, value, known in rows:
        if before is None or before[:2] != (event, known) or _differs(value, before[2], way):
            before = event, known, value
        else:
            mask[place] = False
    return mask


def _after(told: Told, way: Way) -> Mask:
    """What is said when its event is over."""
    return told.belief_us >= told.event_us + way.shape.lasting // _US


def _differs(value: float, last: float, way: Way) -> bool:
    return abs(value - last) > way.tolerance * max(1.0, abs(last))
