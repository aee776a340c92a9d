"""How fresh the data of sensors are, and jobs about an asset, as FlexMeasures writes them."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import PlainSerializer

from flexedge.wire.shape import Told

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def lasting(duration: timedelta) -> str:
    """A duration in days and less: "P35DT13H46M25.387338S", "PT15M", "P0D"."""
    if duration < timedelta(0):
        return f"-{lasting(-duration)}"
    days, rest = divmod(duration, _DAY)
    whole, micros = divmod(rest, _SECOND)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{micros // timedelta(microseconds=1):06d}" if micros else ""
    time = "".join(
        f"{value}{fraction if unit == 'S' else ''}{unit}"
        for value, unit in ((hours, "H"), (minutes, "M"), (seconds, "S"))
        if value or (unit == "S" and fraction)
    )
    day = f"{days}D" if days or not time else ""
    return f"P{day}T{time}" if time else f"P{day}"


Lasting = Annotated[timedelta, PlainSerializer(lasting, return_type=str)]


class Freshness(Told):
    """How fresh the data of a sensor from one type of sources are."""

    id: int
    name: str
    asset_name: str
    resolution: Lasting
    source_type: str | None
    """None: nobody said anything."""
    staleness: Lasting | None
    """How old the newest data are, or how far in the future; None where there are none."""
    stale: bool
    staleness_since: datetime | None
    reason: str
    relation: str
    """What the sensor is to the asset; ";" between several."""


class StatusTold(Told):
    """How fresh the data are, by sensor and type of sources."""

    sensors_data: list[Freshness]
    status: Literal[200] = 200


class JobTold(Told):
    """A job about an asset or one of its sensors."""

    job_id: str
    queue: str
    asset_or_sensor_type: Literal["asset", "sensor"]
    entity: str
    """As "sensor: power (Id: 7)"."""
    status: str
    err: str | None
    enqueued_at: str
    """As "Thu, 26 Nov 2026 09:16:02 GMT"."""
    metadata: str
    """What was asked and what came of it: JSON in a text."""
    metadata_hash: str


class JobsTold(Told):
    """The newest jobs, the newest first."""

    jobs: list[JobTold]
    redis_connection_err: None = None
    status: Literal[200] = 200
