"""When a schedule begins, ends, and in which steps it goes."""

from datetime import UTC, datetime, timedelta

from flexedge.domain.series import TimeGrid, floor
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.source import Sensor, Source

DEFAULT_DURATION = timedelta(hours=48)
DEFAULT_RESOLUTION = timedelta(minutes=15)
MOST_STEPS = 2520  # FlexMeasures' longest planning horizon


def frame(whole: Fields, request: Fields, source: Source, entries: list[Fields]) -> TimeGrid:
    """The grid of a schedule. Raises ``BadField``.

    A start between two ticks is moved back to the tick before; ticks are those of the finest power
    sensor, or of a finer resolution that is asked for. Targets that lie beyond the end extend the
    schedule, to the end of a step of their power sensor.
    """
    resolution = _resolution(whole, request, source, entries)
    ticking = min([resolution, *_resolutions(source, entries)])
    start = floor(request.moment("start").astimezone(UTC), ticking)
    duration = request.duration("duration") if request.has("duration") else DEFAULT_DURATION
    end = start + duration
    for entry in entries:
        tick = _tick(request, source, entry) or resolution
        for target in entry.objects("soc-targets") if _listed(entry, "soc-targets") else ():
            until = _ceil(_end(target), tick)
            if until > end:
                end = min(until, start + MOST_STEPS * resolution)
    steps = -((start - end) // resolution)
    if steps > MOST_STEPS:
        request.fail("duration", f"is {steps} steps of {resolution}: {MOST_STEPS} at most")
    return TimeGrid(start, resolution, steps)


def _listed(entry: Fields, key: str) -> bool:
    return isinstance(entry.data.get(key), list)


def _tick(request: Fields, source: Source, entry: Fields) -> timedelta:
    """On the ticks of which targets beyond the end count; zero where nothing says it."""
    if request.has("resolution"):
        return request.duration("resolution")
    sensor = _power_sensor(entry, source)
    return timedelta(0) if sensor is None else sensor.resolution


def _ceil(moment: datetime, tick: timedelta) -> datetime:
    """The moment itself where it is a tick, or the tick after it."""
    before = floor(moment, tick)
    return moment if before == moment else before + tick


def _end(target: Fields) -> datetime:
    """When a target holds last; the start of time where that is said in another way."""
    for key in ("datetime", "end"):
        if target.has(key):
            return target.moment(key).astimezone(UTC)
    if target.has("start") and target.has("duration"):
        return target.moment("start").astimezone(UTC) + target.duration("duration")
    return datetime.fromtimestamp(0, UTC)


def _resolution(whole: Fields, request: Fields, source: Source, entries: list[Fields]) -> timedelta:
    """As asked, or as fine as the finest power sensor, or a quarter of an hour."""
    for fields, key in ((request, "resolution"), (whole, "scheduling-resolution")):
        if fields.has(key):
            return fields.duration(key)
    return min(_resolutions(source, entries), default=DEFAULT_RESOLUTION)


def _resolutions(source: Source, entries: list[Fields]) -> list[timedelta]:
    """Those of the power sensors, as far as they have one."""
    return [
        sensor.resolution
        for entry in entries
        if (sensor := _power_sensor(entry, source)) is not None and sensor.resolution > timedelta(0)
    ]


def _power_sensor(entry: Fields, source: Source) -> Sensor | None:
    return source.sensors.get(str(entry.data.get("sensor")))
