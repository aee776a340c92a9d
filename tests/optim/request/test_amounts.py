"""Variable quantities in all their forms."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.errors import BadField
from flexedge.optim.request.amounts import edges, extend
from tests.optim.request.asking import BATTERY, PRICE, asked, at, series

NAN = float("nan")


def capacity(raw: Any, **more: Any) -> list[float]:
    """The most a battery may draw when its capacity is this."""
    model = [{**BATTERY, "power-capacity": "50 kW", "consumption-capacity": raw}]
    return list(asked(model, **more).problem.devices[0].max_kw)


def test_a_fixed_quantity_has_a_unit() -> None:
    assert capacity("5000 W") == [5.0] * 4
    assert capacity("5 kVA") == [5.0] * 4


def test_a_list_holds_from_start_to_end_and_the_smaller_capacity_wins() -> None:
    listed = [
        {"start": at(0), "duration": "PT3H", "value": "5 kW"},
        {"start": at(1), "end": at(4), "value": "3 kW"},
        {"end": at(1), "duration": "PT1H", "value": "4 kW"},
    ]
    assert capacity(listed) == [4.0, 3.0, 3.0, 3.0]
    assert capacity([{"start": at(1), "end": at(2), "value": "3 kW"}]) == [50.0, 3.0, 50.0, 50.0]


def test_a_sensor_is_read_in_its_own_unit_and_filled_by_its_default() -> None:
    stored = {"limit": series(1000, None, 3000, 4000, unit="W")}
    assert capacity({"sensor": "limit"}, stored=stored) == [1.0, 50.0, 3.0, 4.0]
    assert capacity({"sensor": "limit", "default": "2 kW"}, stored=stored)[1] == 2.0
    energy = {"limit": series(1, 2, 3, 4, 5, 6, 7, 8, unit="kWh", resolution="PT30M")}
    assert capacity({"sensor": "limit", "source-types": ["forecaster"]}, stored=energy)[0] == 3.0


def test_prices_are_extended_into_the_unknown() -> None:
    stored = {"price": series(None, 100, 200, unit="EUR/MWh")}
    market = asked([BATTERY], {"consumption-price": {"sensor": "price"}}, stored=stored)
    assert market.problem.site.import_price.tolist() == [0.1, 0.1, 0.2, 0.2]
    assert market.problem.site.export_price.tolist() == [0.1, 0.1, 0.2, 0.2]
    assert extend(np.array([NAN, NAN])) is None
    filled = extend(np.array([1.0, NAN, NAN, NAN, 5.0]))
    assert filled is not None
    assert filled.tolist() == [1, 1, 5, 5, 5]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("5", "flex-model[0].consumption-capacity: '5' has no unit"),
        ("5 kWh", "is energy, but this is power"),
        ("1e12 kW", "is beyond all measure"),
        ({"sensor": "nobody"}, "flex-model[0].consumption-capacity.sensor: there is no sensor"),
        ({"sensor": "price"}, "has the unit 'EUR/MWh', which is no power"),
        ({"sensor": "limit", "defualt": 1}, "did you mean 'default'"),
        ([{"value": "5 kW"}], "consumption-capacity[0]: needs a 'datetime', or two of"),
        ([{"start": at(0), "end": at(1)}], "consumption-capacity[0].value: is missing"),
        ([{"start": at(2), "end": at(1), "value": "5 kW"}], "[0].end: lies before the start"),
    ],
)
def test_what_is_wrong_is_told(raw: Any, told: str) -> None:
    stored = {"price": series(1, unit="EUR/MWh"), "limit": series(1)}
    with pytest.raises(BadField) as caught:
        capacity(raw, stored=stored)
    assert told in str(caught.value)


def test_values_beyond_all_measure_are_refused() -> None:
    with pytest.raises(BadField, match="beyond all measure"):
        capacity({"sensor": "limit"}, stored={"limit": series(1e300)})


def test_all_prices_need_one_currency() -> None:
    with pytest.raises(BadField, match=r"is in USD, but .* is in EUR"):
        asked([BATTERY], {**PRICE, "production-price": "0.1 USD/kWh"})


def test_intensities_of_co2_are_prices_too() -> None:
    green = asked([BATTERY], {"consumption-price": "400 kg/MWh"})
    assert green.currency == "kg"
    connection = green.problem.site.connection
    assert connection.consumption_breach_price is None


def test_listed_states_are_events() -> None:
    model = [{**BATTERY, "soc-minima": [{"start": at(1), "end": at(2), "value": "6 kWh"}]}]
    storage = asked(model).problem.devices[0].storage
    assert storage is not None
    hours = [bound.at - asked(model).problem.grid.start for bound in storage.minima]
    assert hours == [timedelta(hours=1), timedelta(hours=2)]


def test_a_sensor_of_states_holds_at_both_ends_of_its_events() -> None:
    stored = {"least": series(None, 6, None, None, unit="kWh")}
    model = [{**BATTERY, "soc-minima": {"sensor": "least"}}]
    storage = asked(model, stored=stored).problem.devices[0].storage
    assert storage is not None
    assert [bound.soc_kwh for bound in storage.minima] == [6.0, 6.0]


def test_a_share_of_the_storage_is_energy() -> None:
    model = [{**BATTERY, "soc-at-start": "40%", "soc-min": "10%",
              "soc-targets": [{"datetime": at(4), "value": "80%"}]}]  # fmt: skip
    storage = asked(model).problem.devices[0].storage
    assert storage is not None
    assert (storage.soc_start_kwh, storage.soc_min_kwh) == (4.0, 1.0)
    assert storage.targets[0].soc_kwh == 8.0


def test_flexmeasures_takes_unknown_prices_of_sensors_and_within_lists_for_nothing() -> None:
    stored = {"price": series(None, 100, 200, unit="EUR/MWh")}
    by_sensor = {"consumption-price": {"sensor": "price"}}
    theirs = asked([BATTERY], by_sensor, "flexmeasures-1.0", stored=stored).problem.site
    assert theirs.import_price.tolist() == [0.0, 0.1, 0.2, 0.0]
    listed = [{"start": at(hour), "duration": "PT1H", "value": "0.1 EUR/kWh"} for hour in (0, 2)]
    within = asked([BATTERY], {"consumption-price": listed}, "flexmeasures-1.0").problem.site
    assert within.import_price.tolist() == [0.1, 0.0, 0.1, 0.1]
    assert np.isnan(edges(np.array([NAN, NAN]))).all()


def bounds(kind: str, data: Any, resolution: str) -> dict[float, float]:
    sensors = {"wanted": {"unit": "kWh", "resolution": resolution}}
    model = [{**BATTERY, f"soc-{kind}": {"sensor": "wanted"}}]
    found = asked(model, stored={"wanted": data}, sensors=sensors)
    grid, storage = found.problem.grid, found.problem.devices[0].storage
    return {(one.at - grid.start) / grid.resolution: one.soc_kwh for one in getattr(storage, kind)}


def test_what_a_sensor_wants_of_a_step_holds_at_both_of_its_ends() -> None:
    data = series(9, 1, 4, 2, 3, unit="kWh")
    # As FlexMeasures 1.0.1 reads it: what ends at the first tick is past.
    assert bounds("minima", data, "PT1H") == {1: 1, 2: 4, 3: 4, 4: 3}
    assert bounds("maxima", data, "PT1H") == {1: 1, 2: 1, 3: 2, 4: 2}
    assert bounds("targets", data, "PT1H") == {1: 1, 2: 4, 3: 2, 4: 3}
    coarse = series(5, 7, unit="kWh", resolution="PT2H")
    assert bounds("targets", coarse, "PT2H") == {1: 5, 2: 7, 3: 7, 4: 7}


def test_of_finer_data_with_holes_only_the_starts_of_steps_count() -> None:
    full = series(0, 0, 2, 4, 6, 8, 1, 3, 5, 7, unit="kWh", resolution="PT30M")
    assert bounds("minima", full, "PT30M") == {1: 3, 2: 7, 3: 7, 4: 6}
    holes = series(0, 0, 2, 4, None, None, 1, 3, None, None, unit="kWh", resolution="PT30M")
    assert bounds("minima", holes, "PT30M") == {1: 3, 3: 2}


def test_of_moments_those_on_a_tick_count() -> None:
    data = series(1, 2, 3, 4, 5, 6, unit="kWh", resolution="PT30M")
    assert bounds("minima", data, "PT0M") == {1: 3, 2: 5}


@pytest.mark.parametrize(
    ("positive", "model", "context", "path"),
    [
        (False, {"consumption": {"sensor": "x"}}, {}, r"flex-model\[0\].consumption: the sensor"),
        (True, {"production": {"sensor": "x"}}, {}, r"flex-model\[0\].production: the sensor"),
        (True, {}, {"aggregate-production": {"sensor": "x"}}, "aggregate-production: the sensor"),
        (False, {}, {"inflexible-consumption": [{"sensor": "x"}]}, r"consumption\[0\]: the sensor"),
        (True, {}, {"inflexible-production": [{"sensor": "x"}]}, r"production\[0\]: the sensor"),
    ],
)
def test_a_sensor_of_the_other_sign_is_refused(
    *, positive: bool, model: Any, context: Any, path: str
) -> None:
    def asking(*, positive: bool) -> None:
        sensor = {"unit": "kW", "resolution": "PT1H",
                  "attributes": {"consumption_is_positive": positive}}  # fmt: skip
        asked([{**BATTERY, **model}], {**PRICE, **context}, sensors={"x": sensor})

    asking(positive=not positive)
    with pytest.raises(BadField, match=path):
        asking(positive=positive)
