"""Forecasts: what is asked for, and what is told of them."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field

from flexedge.wire.shape import Duration, KebabShape, KebabTold, Moment, Told, Whole

Bound = Annotated[str, Field(max_length=64)] | float
"""A number in the unit of the sensor, or a quantity such as "0 kW"."""
Reference = int | dict[str, Any]
"""A sensor's number, or {"sensor": number} with filters of sources."""
_MOST = 50
References = Annotated[tuple[Reference, ...], Field(max_length=_MOST)]


class Remarked(KebabShape):
    """Annotations as a regressor: 1 where there is one, 0 elsewhere. One of the three is given."""

    account: Whole | None = None
    asset: Whole | None = None
    sensor: Whole | None = None
    annotation_type: Annotated[str, Field(max_length=64)] = "holiday"
    name: Annotated[str, Field(max_length=128)] | None = None


class Config(KebabShape):
    """How to forecast.

    ``model-params`` are those of FlexMeasures' model, and have no effect here; neither has
    ``retrain-frequency``: it is trained for each viewpoint.
    """

    model: Literal["CustomLGBM", "TrainPredictPipeline"] | None = None
    future_regressors: References = ()
    """Sensors whose values are known beforehand, such as those of weather forecasts."""
    past_regressors: References = ()
    """Sensors whose past tells something."""
    regressors: References = ()
    """Both."""
    annotation_regressors: Annotated[tuple[Remarked, ...], Field(max_length=_MOST)] = ()
    model_params: dict[str, Any] | None = None
    missing_threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    """The largest share of the past that may be missing; all of it if left out."""
    ensure_positive: bool | None = None
    lower: Bound | None = None
    upper: Bound | None = None
    snap: Annotated[dict[str, tuple[Bound, Bound]], Field(max_length=_MOST)] | None = None
    """By target: the interval whose values become that target."""
    train_start: Moment | None = None
    train_period: Annotated[
        Duration | None,
        Field(
            ge=timedelta(days=2), le=timedelta(days=1100),
            validation_alias=AliasChoices("train-period", "train_period", "max-training-period"),
        ),
    ] = None  # fmt: skip
    """How much of the past is learnt from; 30 days if left out."""
    retrain_frequency: Annotated[Duration | None, Field(ge=timedelta(hours=1))] = None


class Trigger(KebabShape):
    """A request for forecasts of a sensor."""

    start: Moment | None = None
    """From when on; from now on if left out. In the past: as it would have been then."""
    end: Moment | None = None
    duration: Annotated[Duration | None, Field(gt=timedelta(0), le=timedelta(days=366))] = None
    """How far; 48 hours if neither it nor ``end`` is given."""
    prior: Moment | None = None
    """Only what was believed then counts."""
    max_forecast_horizon: Annotated[Duration | None, Field(gt=timedelta(0))] = None
    """How far one forecast looks; all of it if left out."""
    forecast_frequency: Annotated[Duration | None, Field(gt=timedelta(0))] = None
    """How often it is forecast anew; after each horizon if left out."""
    probabilistic: bool | None = None
    """Also what is not exceeded in 10 and 90 of 100 cases."""
    sensor_to_save: Whole | None = None
    """Where the forecasts are kept; with the sensor itself if left out."""
    model: Literal["CustomLGBM", "TrainPredictPipeline"] | None = None
    config: Config | None = None


class Accepted(KebabTold):
    """The job that was made, or made before of the same request."""

    status: Literal["ACCEPTED"] = "ACCEPTED"
    message: str = "Request has been accepted for processing."
    job: str
    forecast: str
    """The same."""
    job_url: str
    results_url: str


class Forecast(Told):
    """The forecast values; where there are several of one event, the last one made."""

    values: list[float | None]
    start: str
    duration: str
    unit: str


class Underway(Told):
    """A job that is not done, or has failed."""

    status: Literal["QUEUED", "STARTED", "FAILED"]
