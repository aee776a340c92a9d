"""What the site file says about central servers: what goes there, and what may come from there.

Where a server is and who we are there is not in it: ``flexedge link`` keeps that.
"""

from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from flexedge.domain.measures import measure
from flexedge.domain.record import Record
from flexedge.domain.units import Duration

Scope = Literal[
    "readings", "forecasts", "schedules", "outcomes", "annotations", "health",
    "data", "edits", "commands", "plans",
]  # fmt: skip
"""Up: measured values, forecasts, schedules, setpoints as they were carried out, annotations for
alarms and overrides, heartbeat and health. Down: data of sensors, edits of flex-models and the
like, commands, schedules that are made there."""
SCOPES: Final[tuple[Scope, ...]] = (
    "readings", "forecasts", "schedules", "outcomes", "annotations", "health",
    "data", "edits", "commands", "plans",
)  # fmt: skip
Planner = Literal["local", "central", "central-then-local"]
"""Who plans an asset. local: the gateway; central: the centre, and while it is away the asset is
left to itself; central-then-local: the centre, and while it is away the gateway."""
MAIN: Final = "main"
"""The centre that is meant where none is named."""
Positive = Annotated[Duration, Field(gt=timedelta(0))]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*$")]
"""What a sensor is called here, as "weather.temperature"."""
Valid = tuple[float, float]
"""The least and the most that a value can be; what is beyond is not believed."""


def _known_unit(unit: str) -> str:
    measure(unit)
    return unit


KnownUnit = Annotated[str, AfterValidator(_known_unit)]


class Report(Record):
    """How values of a sensor are sent."""

    resolution: Positive | None = None
    """How long events are at the centre: a multiple of how long they are here. As here if left
    out, or as the sensor that was found there."""
    strategy: Literal["every-event", "on-change"] = "every-event"
    """on-change: only values that differ from the last one sent by more than ``dead-band``."""
    dead_band: Annotated[float, Field(ge=0)] = 0.0
    """In the sensor's unit."""
    heartbeat: Positive | None = None
    """With on-change: a value at least so often, though nothing changed."""
    send: bool = True
    """Whether it is sent at all."""

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.strategy == "every-event" and (self.dead_band or self.heartbeat):
            raise ValueError("dead-band and heartbeat need strategy: on-change")
        return self


class Received(Record):
    """A sensor of the centre whose values are brought here."""

    sensor: Annotated[int, Field(ge=1)]
    """Its number at the centre."""
    unit: KnownUnit
    """What its values are here; anything the centre's own unit can become."""
    resolution: Positive = Field(default="15 min", validate_default=True)
    every: Positive = Field(default="15 min", validate_default=True)
    """How often it is asked for."""
    ahead: Positive = Field(default="48 h", validate_default=True)
    back: Duration = Field(default="2 h", validate_default=True)
    """How far before now values are asked for."""
    valid: Valid | None = None
    """In ``unit``."""


class Accepted(Record):
    """What of the centre's edits may take effect here; nothing where the installer says nothing."""

    flex_model: tuple[str, ...] = ()
    """Fields of assets' flex-models, as "soc-min"."""
    flex_context: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    """Attributes of assets and sensors, by name."""
    confirm_within: Positive = Field(default="10 min", validate_default=True)
    """An edit is taken back if a device or the centre is lost so soon after it."""
    commands: tuple[Literal["override", "limit", "polling", "bundle"], ...] = ()


class CentreRules(Record):
    """What goes to a centre and how, and what may come from there."""

    scopes: tuple[Scope, ...] = SCOPES
    """Nothing else is done with the centre, whatever was said when it was linked."""
    report: Report = Field(default_factory=Report)
    """How sensors are sent that ``sensors`` says nothing of."""
    sensors: dict[str, Report] = {}
    """By the names of sensors here, as "battery.power"."""
    send_every: Positive = Field(default="5 min", validate_default=True)
    """How often what is new is sent. Each sensor is a request of its own, so that a large fleet, or
    a metered line, is better off with 15 or 60 min."""
    plans_every: Annotated[Duration, Field(ge=timedelta(0))] = Field(
        default="1 h", validate_default=True
    )
    """How often forecasts and schedules are sent, though not more often than ``send_every``. Of
    what is believed of one event within this time only the last is sent; zero: all of it is."""
    backfill: Literal["newest-first", "oldest-first"] = "newest-first"
    """In which order is sent what waited while the centre was away."""
    budget_kb_per_min: Annotated[float, Field(gt=0)] | None = None
    """How much backfill may send, in kB per minute; what is new always goes at once."""
    requests_per_min: Annotated[int, Field(ge=1, le=10_000)] = 120
    """How many requests at most; FlexMeasures allows 500 per user and minute if nobody says
    otherwise there."""
    receive: dict[Key, Received] = {}
    """By the names the sensors get here, as "weather.temperature"."""
    accept: Accepted = Field(default_factory=Accepted)
    heartbeat: Positive = Field(default="5 min", validate_default=True)
    """How often the gateway says that it lives."""
    poll: Positive = Field(default="5 min", validate_default=True)
    """How often the centre is asked for edits and commands."""

    def sent_every(self, *, plans: bool) -> timedelta:
        """How often what is new is sent. plans: of forecasts and schedules."""
        return max(self.send_every, self.plans_every) if plans else self.send_every
