"""Stocks: where they start, what is asked of them, what they lose."""

from typing import Any

import numpy as np
import pytest

from flexedge.errors import BadField
from flexedge.optim.device import Storage
from tests.optim.request.asking import BATTERY, PRICE, answer, asked, at, series

OPEN = {key: value for key, value in BATTERY.items() if key != "soc-at-start"}
SENSED = {**OPEN, "state-of-charge": {"sensor": "soc"}}


def storage(entry: Any, **more: Any) -> Storage:
    found = asked([entry], **more).problem.devices[0].storage
    assert found is not None
    return found


def soc(*values: float | None, unit: str = "kWh", resolution: str = "PT15M") -> Any:
    return {"soc": series(*values, unit=unit, resolution=resolution)}


def test_the_start_is_what_was_measured_nearest() -> None:
    assert storage(SENSED, stored=soc(4, 6)).soc_start_kwh == 4.0
    assert storage(SENSED, stored=soc(None, 6)).soc_start_kwh == 6.0
    sensors = {"soc": {"unit": "%", "resolution": "PT0M"}}
    assert storage(SENSED, stored=soc(40, unit="%"), sensors=sensors).soc_start_kwh == 4.0


def test_a_start_measured_late_bounds_the_first_step() -> None:
    found = storage(SENSED, stored=soc(None, None, 6))
    assert [bound.soc_kwh for bound in found.maxima] == [7.0]
    assert [bound.soc_kwh for bound in found.minima] == [5.0]
    attributes = {"floor_datetimes_to_resolution": False}
    sensors = {"battery": {"unit": "kW", "resolution": "PT1H", "attributes": attributes}}
    assert storage(SENSED, stored=soc(None, 6), sensors=sensors).maxima == ()


def test_an_old_measurement_is_better_than_none_and_told() -> None:
    old = {**series(7, unit="kWh"), "start": "2026-11-22T00:00:00+01:00"}
    found = asked([SENSED], stored={"soc": old})
    kept = found.problem.devices[0].storage
    assert kept is not None
    assert kept.soc_start_kwh == 7.0
    assert "was measured 2 days" in found.notes[0]


def test_an_unknown_start_is_empty_as_documented_and_told() -> None:
    found = asked([OPEN])
    kept = found.problem.devices[0].storage
    assert kept is not None
    assert kept.soc_start_kwh == 0.0
    assert "is not known: taken as 0" in found.notes[0]
    bare = {"sensor": "battery", "power-capacity": "2 kW"}
    assert asked([bare]).problem.devices[0].storage is None
    assert (
        asked([{**bare, "state-of-charge": {"sensor": "soc"}}]).problem.devices[0].storage is None
    )


def test_a_listed_state_of_charge_says_what_holds_at_the_start() -> None:
    spans = [{"start": "2026-11-23T00:00:00+01:00", "end": at(1), "value": "3 kWh"},
             {"start": "2026-11-23T23:00:00+01:00", "end": at(1), "value": "4 kWh"}]  # fmt: skip
    assert storage({**OPEN, "state-of-charge": spans}).soc_start_kwh == 4.0
    near = [{"datetime": at(0.5), "value": "5 kWh"}, {"datetime": at(2), "value": "6 kWh"}]
    assert storage({**OPEN, "state-of-charge": near}).soc_start_kwh == 5.0


def test_numbers_without_a_unit_have_that_of_the_storage() -> None:
    assert storage({**OPEN, "soc-at-start": 5}).soc_start_kwh == 5.0
    assert storage({**OPEN, "soc-at-start": 5, "soc-unit": "MWh"}).soc_start_kwh == 5000.0
    sensors = {"battery": {"unit": "MW", "resolution": "PT1H"}}
    assert storage({**OPEN, "soc-max": 1, "soc-at-start": 0.5}, sensors=sensors).soc_max_kwh == 1000


def test_losses_are_those_of_a_step_of_the_power_sensor() -> None:
    entry = {**BATTERY, "storage-efficiency": "90%"}
    assert storage(entry, **{"scheduling-resolution": "PT30M"}).storage_efficiency == pytest.approx(
        np.full(8, 0.9**0.5)
    )
    kept = {"kept": series(90, None, 110, 80, unit="%")}
    sensed = storage({**BATTERY, "storage-efficiency": {"sensor": "kept"}}, stored=kept)
    assert sensed.storage_efficiency == pytest.approx([0.9, 1.0, 1.0, 0.8])
    assert storage({**BATTERY, "storage-efficiency": 1.0}).storage_efficiency == 1.0


def test_flows_are_summed() -> None:
    entry = {**BATTERY, "soc-usage": ["1 kW", [{"start": at(0), "end": at(2), "value": "500 W"}]],
             "soc-gain": ["200 W"]}  # fmt: skip
    assert storage(entry).usage_kw == pytest.approx([1.3, 1.3, 0.8, 0.8])


def test_what_is_stored_at_the_end_has_a_value() -> None:
    assert storage({**BATTERY, "soc-value-at-end": "0.2 EUR/kWh"}).value_at_end == ((np.inf, 0.2),)
    falling = [{"up-to": "50%", "value": "0.3 EUR/kWh"}, {"value": "0.1 EUR/kWh"}]
    found = storage({**BATTERY, "soc-value-at-end": falling})
    assert found.value_at_end == ((5.0, 0.3), (np.inf, 0.1))
    told = answer([{**BATTERY, "soc-value-at-end": falling}])
    assert told["soc"]["battery"][-1] == 5.0  # selling earns 0.10: above the first 5 kWh no more


@pytest.mark.parametrize(
    ("context", "prices"),
    [
        ({"relax-constraints": False}, (1000.0, None)),
        ({"relax-constraints": False, "soc-minima-breach-price": "5 EUR/kWh"}, (5.0, 5.0)),
        ({"relax-constraints": False, "commodities": [{"commodity": "gas"}]}, (1000.0, 1000.0)),
        ({"relax-soc-constraints": False, "commodities": [{"commodity": "gas"}]}, (None, None)),
    ],
)
def test_a_target_between_ticks_relaxes_others_where_anything_is_relaxed(
    context: Any, prices: tuple[Any, Any]
) -> None:
    """What FlexMeasures does: by itself only what is asked between ticks becomes soft."""
    odd = {**BATTERY, "soc-targets": [{"datetime": at(1.5), "value": "6 kWh"}]}
    other = {**BATTERY, "sensor": "car"}
    devices = asked([odd, other], {**PRICE, **context}).problem.devices
    found = [d.storage.minima_price for d in devices if d.storage is not None]
    assert tuple(None if p is None else float(np.max(p)) for p in found) == prices
    even = asked([BATTERY, other], {**PRICE, **context}).problem.devices[1].storage
    own = context.get("soc-minima-breach-price")
    assert even is not None
    assert (even.minima_price is None) == (own is None)


def test_compat_scales_penalties_by_the_step() -> None:
    half = {"scheduling-resolution": "PT30M"}
    ours = asked([BATTERY], **half).problem.devices[0].storage
    theirs = asked([BATTERY], compat="flexmeasures-1.0", **half).problem.devices[0].storage
    assert ours is not None
    assert theirs is not None
    assert (ours.minima_price[0], theirs.minima_price[0]) == (1000.0, 2000.0)  # type: ignore[index]


PERCENT = {"soc": {"unit": "%", "resolution": "PT0M"}}


@pytest.mark.parametrize(
    ("entry", "more", "told"),
    [
        ({**BATTERY, "soc-min": "11 kWh"}, {}, "soc-min: lies above soc-max: 11 > 10 kWh"),
        ({**BATTERY, "soc-min": "-1 kWh"}, {}, "soc-min: should not be negative"),
        ({**BATTERY, "soc-max": [{"datetime": at(1), "value": "5 kWh"}]}, {}, "one fixed energy"),
        ({**BATTERY, "soc-unit": "kW"}, {}, "soc-unit: should be 'kWh' or 'MWh'"),
        (SENSED, {}, "state-of-charge: has no value to start from: give soc-at-start"),
        ({**OPEN, "state-of-charge": []}, {}, "state-of-charge: should not be empty"),
        ({key: value for key, value in SENSED.items() if key != "soc-max"},
         {"stored": soc(4, unit="%"), "sensors": PERCENT}, "soc-max is needed to read it"),
        (SENSED, {"stored": soc(4, unit="V")}, "kWh, MWh or % is needed"),
        ({**BATTERY, "soc-value-at-end": {"sensor": "price"}},
         {"stored": {"price": series(1, unit="EUR/kWh")}}, "one fixed price"),
        ({**BATTERY, "soc-value-at-end": [{"value": "1 EUR/kWh"}, {"value": "2 EUR/kWh"}]}, {},
         "should go up in 'up-to' and down in 'value'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_path(entry: Any, more: Any, told: str) -> None:
    with pytest.raises(BadField) as caught:
        asked([entry], **more)
    assert told in str(caught.value)


def test_a_stock_is_described_once() -> None:
    feeder = {**SENSED, "soc-at-start": "1 kWh"}
    with pytest.raises(BadField, match=r"is given by flex-model.0. already"):
        asked([feeder, {**feeder, "sensor": "boiler"}], PRICE)


def test_losses_need_a_resolution() -> None:
    entry = {**BATTERY, "storage-efficiency": "90%"}
    sensors = {"battery": {"unit": "kW", "resolution": "PT0M"}}
    with pytest.raises(BadField, match="has no resolution"):
        asked([entry], sensors=sensors)


def test_a_bound_that_is_given_without_data_is_reported_to_cost_nothing() -> None:
    entry = {**BATTERY, "soc-minima": {"sensor": "wanted"}}
    sensors = {"wanted": {"unit": "kWh", "resolution": "PT1H"}}
    costs = answer([entry], sensors=sensors)["commitment-costs"]
    assert (costs["any soc minima"], costs["all soc minima"]) == (0, 0)


def test_what_is_asked_between_ticks_is_soft_unless_that_is_denied() -> None:
    hard = {**PRICE, "relax-constraints": False}
    on, off = ([{"datetime": at(hour), "value": "6 kWh"}] for hour in (1.0, 1.5))
    assert storage({**BATTERY, "soc-targets": on}, context=hard).minima_price is None
    soft = storage({**BATTERY, "soc-targets": off}, context=hard)
    assert np.asarray(soft.minima_price).tolist() == [1000] * 4
    denied = {**hard, "relax-soc-constraints": False}
    assert storage({**BATTERY, "soc-targets": off}, context=denied).minima_price is None


def test_between_ticks_is_meant_of_the_own_sensor_where_steps_are_finer() -> None:
    hard = {**PRICE, "relax-constraints": False}
    half = {**BATTERY, "soc-targets": [{"datetime": at(1.5), "value": "6 kWh"}]}
    fine = {"scheduling-resolution": "PT30M"}
    assert storage(half, context=hard, **fine).minima_price is not None
    sensors = {"battery": {"unit": "kW", "resolution": "PT30M"}}
    assert storage(half, context=hard, sensors=sensors, **fine).minima_price is None


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ({"soc-usage": "x"}, "soc-usage"),
        ({"soc-gain": ["1 kW", "x"]}, "soc-gain[1]"),
        ({"soc-value-at-end": [{"up-to": [], "value": "1 EUR/kWh"}]}, "soc-value-at-end[0].up-to"),
    ],
)
def test_what_is_wrong_with_a_stock_is_told_by_its_path(entry: Any, path: str) -> None:
    with pytest.raises(BadField) as caught:
        asked([{**BATTERY, **entry}])
    assert caught.value.path == f"flex-model[0].{path}"
