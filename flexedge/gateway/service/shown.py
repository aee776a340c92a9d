"""Which sensors the page of an asset shows in charts, and which as key figures."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, NoReturn

from flexedge.errors import BadField
from flexedge.gateway.service.references import referred
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor

Json = dict[str, Any]
_CHARTS: Final = "sensors_to_show"
_FIGURES: Final = "sensors_to_show_as_kpis"
_FUNCTIONS: Final = ("sum", "min", "max", "mean")
_FLEX: Final = {"flex-context": "flex_context", "flex-model": "flex_model"}
_AXIS: Final = (
    "'y-axis' must be 'zero', 'data', a [min, max] list of two numbers, or a {'min': min, 'max': "
    "max} dict."
)


def check_charts(charts: list[Any], sensors: Mapping[int, PlacedSensor],
                 asset: Callable[[int], Asset | None]) -> None:  # fmt: skip
    """Refuse charts that cannot be drawn; ``sensors``: those that are referred to and exist.

    Raises ``BadField``.
    """
    for chart in charts:
        _check_chart(chart, asset)
    _demand(charts, sensors, _CHARTS)


def check_figures(figures: list[Any], sensors: Mapping[int, PlacedSensor]) -> None:
    """Refuse key figures that cannot be told. Raises ``BadField``."""
    for figure in figures:
        if not isinstance(figure, dict):
            _refuse("Each KPI should be an object with 'title' and 'sensor'.", _FIGURES)
        if not isinstance(figure.get("title"), str) or not _is_number(figure.get("sensor")):
            _refuse("Each KPI needs a 'title' and a 'sensor', which is a number.", _FIGURES)
        if figure.get("function", "sum") not in _FUNCTIONS:
            _refuse(f"'function' must be one of: {', '.join(_FUNCTIONS)}.", _FIGURES)
    _demand(figures, sensors, _FIGURES)
    for number, sensor in sensors.items():
        if sensor.resolution != timedelta(days=1):
            _refuse(f"Sensor with ID {number} is not a daily sensor.", _FIGURES)


def _demand(data: list[Any], sensors: Mapping[int, PlacedSensor], field: str) -> None:
    for number in referred(data):
        if number not in sensors:
            _refuse(f"No sensor found with ID {number}.", field)


def _check_chart(chart: Any, asset: Callable[[int], Asset | None]) -> None:
    if _is_number(chart):
        return
    if isinstance(chart, list):
        if not all(map(_is_number, chart)):
            _refuse("All elements in a list within 'sensors_to_show' must be integers.")
        return
    if not isinstance(chart, dict):
        _refuse("Invalid item type in 'sensors_to_show'. Expected int, list, or dict.")
    if not isinstance(chart.get("title"), str | None):
        _refuse("'title' value must be a string.")
    _check_axis(chart.get("y-axis", "zero"))
    if "plots" in chart and "sensor" not in chart and "sensors" not in chart:
        if not isinstance(chart["plots"], list):
            _refuse("'plots' must be a list or dictionary.")
        for plot in chart["plots"]:
            _check_plot(plot, asset)
    elif not _check_sensors(chart):
        _refuse("Dictionary must contain either 'sensor', 'sensors' or 'plots' key.")


def _check_sensors(one: Json) -> bool:
    """Whether sensors are named, and rightly."""
    if "sensor" in one and not _is_number(one["sensor"]):
        _refuse("'sensor' value must be an integer.")
    if "sensors" in one and (
        not isinstance(one["sensors"], list) or not all(map(_is_number, one["sensors"]))
    ):
        _refuse("'sensors' value must be a list of integers.")
    return "sensor" in one or "sensors" in one


def _check_plot(plot: Any, asset: Callable[[int], Asset | None]) -> None:
    if not isinstance(plot, dict):
        _refuse("Each plot in 'plots' must be a dictionary.")
    if not _check_sensors(plot) and "asset" not in plot:
        _refuse("Each plot must contain either 'sensor', 'sensors' or an 'asset' key.")
    if "asset" not in plot:
        return
    given = [key for key in _FLEX if key in plot]
    if not given:
        _refuse(
            "When 'asset' is provided in a plot, 'flex-context' or 'flex-model' must also be "
            "provided."
        )
    number = plot["asset"]
    found = asset(number) if _is_number(number) else None
    if found is None:
        _refuse(f"No asset found with ID {number}.")
    for key in given:
        if not isinstance(plot[key], str):
            _refuse(f"The value for '{key}' must be a string.")
        if plot[key] not in getattr(found, _FLEX[key]):
            _refuse(
                f"The asset with ID '{number}' does not have a '{plot[key]}' set in its "
                f"'{_FLEX[key]}'."
            )


def _check_axis(axis: Any) -> None:
    if axis in ("zero", "data"):
        return
    match axis:
        case [low, high] | {"min": low, "max": high} if len(axis) == 2:  # noqa: PLR2004 - ends
            pass
        case _:
            _refuse(_AXIS)
    if any(isinstance(end, bool) or not isinstance(end, int | float) for end in (low, high)):
        _refuse(_AXIS)
    if low > high:
        _refuse("'y-axis' domain minimum cannot exceed its maximum.")
    if low == high and isinstance(axis, dict):
        _refuse("'y-axis' strict domain minimum and maximum cannot be equal.")


def _refuse(message: str, field: str = _CHARTS) -> NoReturn:
    raise BadField(field, message)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
