"""Key figures of an asset as FlexMeasures writes them."""

from pydantic import ConfigDict

from flexedge.wire.shape import Moment, Shape, Told


class KpisAsked(Shape):
    """Of which events key figures are told: those that start in a time span."""

    model_config = ConfigDict(extra="ignore")
    start: Moment
    end: Moment


class KpiTold(Told):
    """One key figure."""

    title: str
    unit: str
    sensor: int
    downsample_value: float
    """What the values in the time span come to; 0 where there are none."""
    downsample_function: str
    """ "sum", "mean", "max" or "min"."""


class KpisTold(Told):
    """The key figures that an asset shows."""

    data: list[KpiTold]
