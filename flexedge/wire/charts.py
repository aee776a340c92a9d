"""What is asked of charts and their data, with FlexMeasures' names and its older ones."""

from datetime import timedelta
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from flexedge.wire.shape import Duration, Moment, Shape, Told


def _named(*names: str, default: Any = None) -> Any:
    return Field(default, validation_alias=AliasChoices(*names))


class Window(Shape):
    """A time span, and since and until when it was believed what is asked for."""

    model_config = ConfigDict(extra="ignore", validate_by_name=True)
    start: Moment | None = _named("start", "event_starts_after")
    end: Moment | None = _named("end", "event_ends_before")
    duration: Duration | None = None
    """With one of start and end, instead of the other."""
    beliefs_after: Moment | None = _named("beliefs-after", "beliefs_after")
    prior: Moment | None = _named("prior", "beliefs_before")

    @model_validator(mode="before")
    @classmethod
    def _demand_an_end(cls, given: Any) -> Any:
        names = ("start", "event_starts_after", "end", "event_ends_before")
        if isinstance(given, dict) and "duration" in given and not any(n in given for n in names):
            raise ValueError("Provide `duration` together with `start` or `end`.")
        return given

    def span(self) -> tuple[Any, Any]:
        """Start and end; None: no bound."""
        start, end, length = self.start, self.end, self.duration or timedelta(0)
        if self.duration is not None:
            if start is None and end is not None:
                start = end - length
            elif end is None and start is not None:
                end = start + length
        return start, end


class DataAsked(Window):
    """Which data are told, and how."""

    resolution: Duration | None = Field(None, ge=timedelta(seconds=1))
    use_latest_version_per_event: bool | None = _named(
        "use-latest-version-per-event", "use_latest_version_per_event"
    )
    most_recent_beliefs_only: bool = _named(
        "most-recent-beliefs-only", "most_recent_beliefs_only", default=True
    )
    """Of each event and source only what was believed last."""
    compress_json: bool = _named("compress-json", "compress_json", default=False)
    """Whether sensors and sources are told beside the data, once, and the data with short names."""


class NotesAsked(Window):
    """Which annotations are told."""

    clip: bool = True
    """Whether they are cut where the time span begins and ends."""


ChartType = Literal["bar_chart", "line_chart", "histogram", "daily_heatmap", "weekly_heatmap",
                    "chart_for_multiple_sensors"]  # fmt: skip


class ChartAsked(Window):
    """Which chart is wanted."""

    include_data: bool = _named("include-data", "include_data", default=False)
    """Whether the chart holds its data; else they are to be asked for at ``chart_data``."""
    dataset_name: str | None = _named("dataset-name", "dataset_name")
    chart_type: ChartType | None = _named("chart-type", "chart_type")
    combine_legend: bool = _named("combine-legend", "combine_legend", default=True)
    include_sensor_annotations: bool = _named(
        "include-sensor-annotations", "include_sensor_annotations", default=False
    )
    include_asset_annotations: bool = _named(
        "include-asset-annotations", "include_asset_annotations", default=False
    )
    include_account_annotations: bool = _named(
        "include-account-annotations", "include_account_annotations", default=False
    )
    height: int | None = Field(None, gt=0, le=10_000)
    """In pixels."""
    width: int | None = Field(None, gt=0, le=10_000)
    """In pixels; else that of the page."""


class Record(Told):
    """What is believed about one event, in the longer shape; times are milliseconds since 1970."""

    event_start: int
    event_value: float | None
    sensor: dict[str, Any]
    source: dict[str, Any]
    belief_time: int | None = None
    belief_horizon: int | None = None
    cumulative_probability: float | None = None
    sensor_unit: str | None = None
    scale_factor: float | None = None


class Compact(Told):
    """The same in the shorter shape."""

    data: list[dict[str, Any]]
    """Records: start of the event (ts), sensor (sid), value (val), source (src), …"""
    sensors: dict[str, Any]
    sources: dict[str, Any]


class Spec(BaseModel):
    """A chart in Vega-Lite."""

    model_config = ConfigDict(extra="allow")


class TimeRange(Told):
    """From the first event to the end of the last one."""

    start: str
    end: str


class SensorBrief(Told):
    """What a page needs to know of a sensor before it shows it."""

    name: str
    timezone: str
    timerange: TimeRange
    status: Literal[200] = 200


class AssetBrief(Told):
    """The same of an asset."""

    name: str
    timezone: str
    timerange_of_sensors_to_show: TimeRange
    status: Literal[200] = 200
