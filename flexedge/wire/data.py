"""Values of sensors: as they are posted, asked for, deleted and told."""

from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    AllowInfNan,
    BeforeValidator,
    FailFast,
    Field,
    Strict,
    StringConstraints,
    WithJsonSchema,
)

from flexedge.wire.shape import Duration, KebabShape, Moment, Shape, Told

PLACE = "combined_sensor_data_description"
"""What FlexMeasures calls the place of everything said of data, in messages about wrong fields."""
MOST_VALUES = 600_000
"""Values of one request, of all its sensors together."""
_NUMBER = {"type": "number"}


def _listed(values: Any) -> Any:
    single = isinstance(values, int | float) and not isinstance(values, bool)
    return [values] if single else values


Value = Annotated[float, Strict(), AllowInfNan(allow_inf_nan=False)]
Values = Annotated[
    list[Value | None],
    FailFast(),
    Field(min_length=1, max_length=MOST_VALUES),
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                _NUMBER,
                {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_VALUES,
                    "items": {"anyOf": [_NUMBER, {"type": "null"}]},
                },
            ],
            "examples": [[2.2, 2.6, None, 2.7]],
        }
    ),
]
"""One number, or a list of numbers and nulls. The first that is none is told of, with its place."""
Unit = Annotated[str, StringConstraints(max_length=60), Field(examples=["kW"])]
Sensors = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,9}(,[0-9]{1,9})*$", max_length=2000),
    Field(examples=["1,2,3"], description="Their numbers."),
]
PostType = Literal[
    "PostSensorDataRequest",
    "PostMeterDataRequest",
    "PostPrognosisRequest",
    "PostPriceDataRequest",
    "PostWeatherDataRequest",
]
GetType = Literal[
    "GetSensorDataRequest", "GetMeterDataRequest", "GetPrognosisRequest", "GetPriceDataRequest"
]


class Posted(Shape):
    """Values of one sensor, evenly spaced."""

    values: Values = Field(validation_alias=AliasChoices("values", "value"))
    """One number for the whole duration, or so many of equal length; null is missing."""
    start: Moment
    """Start of the first event."""
    duration: Duration
    """Of all values together; PT0M for one value of a sensor of instants."""
    unit: Unit
    """Anything that can become the sensor's unit."""
    prior: Moment | None = None
    """Since when this is believed; without it and a horizon: since it was received."""
    horizon: Duration | None = None
    """Believed so long before each event could be known (negative: after)."""
    type: PostType | None = None
    """Only checked: meter data must not be of the future, prognoses not of the past."""


class PostedOf(Posted):
    """Values of one of several sensors."""

    sensor: int


class PostedMany(Shape):
    """Values of several sensors, stored all or none."""

    data: list[PostedOf] = Field(min_length=1, max_length=1000)


class PostedTo(Posted):
    """Values of a sensor that is named by its entity address."""

    sensor: str = Field(examples=["ea1.2026-01.localhost:fm1.42"])


class Filters(KebabShape):
    """Which beliefs count, and how they are told."""

    start: Moment
    duration: Duration | None = None
    """From the start on; one of duration and end."""
    end: Moment | None = None
    resolution: Duration | None = None
    """A multiple or divisor of the sensor's; the sensor's if not given."""
    horizon: Duration | None = None
    """Only what was believed at least so long before the event could be known."""
    prior: Moment | None = None
    """Only what was believed until then."""
    source: int | None = None
    """Only what this source believes."""
    source_account: int | None = None
    """Only what sources of this account believe."""
    source_type: Annotated[str, StringConstraints(min_length=1)] | None = None
    """Only what sources of this type believe, such as "user" or "forecaster"."""


class Asked(Filters):
    """A question for the values of one sensor."""

    unit: Unit
    """Anything that the sensor's unit can become."""
    type: GetType | None = None
    """Meter data: only what was known afterwards; a prognosis: only what was known before."""


class AskedOf(Asked):
    """A question for the values of a sensor that is named by its entity address."""

    sensor: str = Field(examples=["ea1.2026-01.localhost:fm1.42"])


class AskedMany(Filters):
    """A question for the values of several sensors, each in its own unit unless one is given."""

    sensors: Sensors
    unit: Unit | None = None


class Live(KebabShape):
    """A question for what is newly believed of several sensors."""

    sensors: Sensors
    since: Annotated[str, StringConstraints(max_length=40)] | None = None
    """The cursor of the last answer or event; from now on if not given."""
    wait: Annotated[float, Field(ge=0, le=60)] | None = None
    """Seconds: for one answer instead of a stream of events."""


class Deleted(Shape):
    """Which beliefs are to be deleted; without a bound all of them."""

    start: Moment | None = None
    until: Moment | None = None
    """Events that are over by then."""
    source: int | None = None


class Answered(Told):
    """The values of a sensor."""

    values: list[float | None]
    start: Moment
    duration: Duration
    unit: str
    resolution: Duration
    message: str
    status: str


class AnsweredOf(Told):
    """The values of one of several sensors."""

    sensor: int
    values: list[float | None]
    start: Moment
    duration: Duration
    unit: str
    resolution: Duration


class AnsweredMany(Told):
    """The values of several sensors."""

    data: list[AnsweredOf]
    message: str
    status: str


class Uploaded(KebabShape):
    """What is said beside uploaded files, as fields of the form."""

    belief_time_measured_instantly: bool = False
    """Whether each value was known when its event was over; else when it was received."""
    unit: Unit | None = None
    """Of the values; the sensor's if not given."""
