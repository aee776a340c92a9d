from datetime import timedelta
from typing import Any

import pytest

from flexedge.errors import BadField
from flexedge.gateway.service.shown import check_charts, check_figures
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor

DAY = timedelta(days=1)
SENSORS = {n: PlacedSensor(f"1/{n}", 1, str(n), "kW", DAY, "UTC") for n in (1, 2, 3)}
AXIS = (
    "'y-axis' must be 'zero', 'data', a [min, max] list of two numbers, or a {'min': min, 'max': "
    "max} dict."
)
BATTERY = Asset("bat", "battery", flex_model={"soc-max": "10 kWh"})


def check(*charts: Any) -> None:
    check_charts(list(charts), SENSORS, {7: BATTERY}.get)


@pytest.mark.parametrize(
    "chart",
    [
        1, [2, 3], {"title": "A", "sensor": 1}, {"sensors": [1, 2]}, {"title": None, "plots": []},
        {"plots": [{"sensor": 1}, {"sensors": [2, 3]}, {"asset": 7, "flex-model": "soc-max"}]},
        {"sensor": 1, "y-axis": "data"}, {"sensor": 1, "y-axis": [0, 0]},
        {"sensor": 1, "y-axis": {"min": 0, "max": 5.5}},
    ],
)  # fmt: skip
def test_charts_that_can_be_drawn_are_taken(chart: Any) -> None:
    check(chart)


@pytest.mark.parametrize(
    ("chart", "message"),
    [
        ("x", "Invalid item type in 'sensors_to_show'. Expected int, list, or dict."),
        (True, "Invalid item type in 'sensors_to_show'. Expected int, list, or dict."),
        (["x"], "All elements in a list within 'sensors_to_show' must be integers."),
        ({"title": 1, "sensor": 1}, "'title' value must be a string."),
        ({"title": "A"}, "Dictionary must contain either 'sensor', 'sensors' or 'plots' key."),
        ({"sensor": "1"}, "'sensor' value must be an integer."),
        ({"sensors": 1}, "'sensors' value must be a list of integers."),
        ({"plots": {}}, "'plots' must be a list or dictionary."),
        ({"plots": [1]}, "Each plot in 'plots' must be a dictionary."),
        ({"plots": [{}]}, "Each plot must contain either 'sensor', 'sensors' or an 'asset' key."),
        ({"plots": [{"asset": 7}]}, ("When 'asset' is provided in a plot, 'flex-context' or"
         " 'flex-model' must also be provided.")),
        ({"plots": [{"asset": 9, "flex-model": "soc-max"}]}, "No asset found with ID 9."),
        ({"plots": [{"asset": 7, "flex-model": 1}]},
         "The value for 'flex-model' must be a string."),
        ({"plots": [{"asset": 7, "flex-model": "soc-min"}]},
         "The asset with ID '7' does not have a 'soc-min' set in its 'flex_model'."),
        ({"sensor": 1, "y-axis": [2, 1]}, "'y-axis' domain minimum cannot exceed its maximum."),
        ({"sensor": 1, "y-axis": {"min": 1, "max": 1}},
         "'y-axis' strict domain minimum and maximum cannot be equal."),
        ({"sensor": 1, "y-axis": "low"}, AXIS),
        ({"sensor": 1, "y-axis": [True, 1]}, AXIS),
        (9, "No sensor found with ID 9."),
        ({"plots": [{"sensors": [1, 9]}]}, "No sensor found with ID 9."),
    ],
)  # fmt: skip
def test_charts_that_cannot_be_drawn_are_refused(chart: Any, message: str) -> None:
    with pytest.raises(BadField) as wrong:
        check(1, chart)
    assert (wrong.value.path, wrong.value.message) == ("sensors_to_show", message)


@pytest.mark.parametrize(
    "figure",
    [1, {"title": "x"}, {"sensor": 1}, {"title": "x", "sensor": 1, "function": "median"},
     {"title": "x", "sensor": 9}],
)  # fmt: skip
def test_key_figures_need_a_title_and_a_sensor(figure: Any) -> None:
    with pytest.raises(BadField):
        check_figures([figure], SENSORS)


def test_key_figures_are_of_days() -> None:
    figures = [{"title": "x", "sensor": 1, "function": "mean"}]
    check_figures(figures, {1: SENSORS[1]})
    hourly = {1: PlacedSensor("1/1", 1, "1", "kW", timedelta(hours=1), "UTC")}
    with pytest.raises(BadField, match="Sensor with ID 1 is not a daily sensor"):
        check_figures(figures, hourly)
