"""When a central server calls the data of a sensor stale: what FlexMeasures' status page goes by.

FlexMeasures takes all that we post for the word of a user, whatever it is about here. Of those it
looks at the newest event: so long after that was over it is stale; or, where that lies ahead, if it
lies less far ahead than it should. Read off its 1.0.1: ``get_statuses`` in its services.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from flexedge.domain.asset import INSTANT

Json = Mapping[str, Any]
SPECS: Final = "status_specs"
"""The attribute of a sensor that says so."""
LEAST: Final = timedelta(minutes=15)
"""No data are stale before that: they come every five minutes, and by way of a network."""
_AHEAD: Final = ("forecast", "schedule")
_HALF_A_DAY: Final = timedelta(hours=12)
_MINUTE: Final = timedelta(minutes=1)


def status_specs(
    role: str,
    resolution: timedelta,
    every: timedelta | None = None,
    horizon: timedelta | None = None,
) -> Json:
    """The value of the attribute ``status_specs`` that a sensor is to have at the centre.

    ``role``: of its link ("" for what is measured). ``every``: at least so often there is something
    to tell, where that is not each event. ``horizon``: so far ahead plans reach.

    What is measured is stale three events after the last one, at least 15 minutes; data about the
    future, as prices, are never early. Forecasts and schedules have to reach twelve hours ahead, or
    a third of the horizon; with ``every`` (of a car, which is planned for while it is there) they
    may also be over for that long.
    """
    if role in _AHEAD:
        if every is not None:
            return _specs(every, INSTANT)
        least = _HALF_A_DAY if horizon is None else min(_HALF_A_DAY, horizon / 3)
        return _specs(INSTANT, least)
    return _specs(max(3 * resolution, 3 * (every or INSTANT), LEAST), INSTANT)


def _specs(oldest: timedelta, ahead: timedelta) -> Json:
    return {
        "staleness_search": {},
        "max_staleness": _iso(oldest),
        "max_future_staleness": f"-{_iso(ahead)}" if ahead else "PT0M",
    }


def _iso(span: timedelta) -> str:
    return f"PT{span / _MINUTE:.15g}M"
