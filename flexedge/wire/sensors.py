"""Sensors as FlexMeasures writes them."""

from datetime import timedelta
from difflib import get_close_matches
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, AliasChoices, Field, PlainSerializer

from flexedge.domain.measures import measure
from flexedge.wire.assets import JsonObject, Number, Page, Paged
from flexedge.wire.shape import Duration, JsonText, Shape, Told

LONGEST_NAME, LONGEST_UNIT = 120, 80
_MONTH = timedelta(days=31)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in _zones():
        close = get_close_matches(name, _zones(), n=1, cutoff=0.6)
        remedy = f"Did you mean '{close[0]}'?" if close else "Example: Europe/Amsterdam."
        raise ValueError(f"Invalid timezone '{name}'. {remedy}")
    return name


def _unit(text: str) -> str:
    try:
        measure(text)
    except ValueError as error:
        raise ValueError(f"Unit '{text}' cannot be handled.") from error
    return text


def _resolution(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError("An event cannot last less than no time: write PT0M for instants.")
    if value > _MONTH:
        raise ValueError("An event of a sensor lasts 31 days at most.")
    return value


def resolution_text(resolution: timedelta) -> str:
    """How FlexMeasures writes the resolution of a sensor: "PT15M", "P1D", "P0D"."""
    days, rest = resolution.days, resolution - timedelta(days=resolution.days)
    seconds = rest.total_seconds()
    hours, minutes = int(seconds // 3600), int(seconds % 3600 // 60)
    seconds %= 60
    time = f"{hours}H" if hours else ""
    time += f"{minutes}M" if minutes else ""
    time += f"{seconds:g}S" if seconds else ""
    if not days and not time:
        return "P0D"
    return "P" + (f"{days}D" if days else "") + (f"T{time}" if time else "")


Zone = Annotated[str, Field(max_length=80), AfterValidator(_zone)]
Unit = Annotated[str, Field(max_length=LONGEST_UNIT), AfterValidator(_unit)]
Resolution = Annotated[
    Duration, AfterValidator(_resolution), PlainSerializer(resolution_text, return_type=str)
]


class SensorChange(Shape):
    """What is to be changed of a sensor: what is not named stays."""

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)] | None = None
    unit: Unit | None = None
    timezone: Zone | None = None
    event_resolution: Resolution | None = None
    attributes: JsonObject | None = None


class NewSensor(SensorChange):
    """A new sensor."""

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    unit: Unit
    event_resolution: Resolution
    """How long its events last, as "PT15M"; "PT0M" for instants."""
    generic_asset_id: Number


class SensorTold(Told):
    """A sensor."""

    attributes: JsonText
    entity_address: str
    event_resolution: Resolution
    generic_asset_id: int
    id: int
    name: str
    timezone: str
    unit: str


class SensorShown(SensorTold):
    """One sensor, with the status that FlexMeasures adds to what is read or changed."""

    status: int = 200


class SensorPage(Page):
    """A page of a list of sensors."""

    data: list[SensorTold]


class SensorsAsked(Paged):
    """Which sensors are told."""

    account: Annotated[
        Number | None, Field(validation_alias=AliasChoices("account", "account_id"))
    ] = None
    """Whose sensors; without, those of the caller's account."""
    asset: Annotated[Number | None, Field(validation_alias=AliasChoices("asset", "asset_id"))] = (
        None
    )
    """Only sensors of this asset and of those below it."""
    include_consultancy_clients: bool = False
    include_public_assets: bool = False
    unit: Annotated[str, Field(max_length=LONGEST_UNIT)] | None = None


__all__ = [
    "NewSensor", "Resolution", "SensorChange", "SensorPage", "SensorShown", "SensorTold",
    "SensorsAsked", "Unit", "Zone", "resolution_text",
]  # fmt: skip
