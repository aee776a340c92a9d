import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.domain.convert import Way, conversion, convertible, factor, merged, split, way

QUARTER = timedelta(minutes=15)


@pytest.mark.parametrize(
    ("had", "wanted", "expected"),
    [
        ("kW", "MW", 1e-3),
        ("kWh", "MWh", 1e-3),
        ("EUR/MWh", "cEUR/kWh", 0.1),
        ("kWh", "kW", 4.0),
        ("MW", "kWh", 250.0),
        ("%", "", 0.01),
        ("%", "kW", 0.5),
        ("kW", "%", 2.0),
        ("", "MW", 0.05),
        ("lux", "lux", 1.0),
    ],
)
def test_units_are_turned(had: str, wanted: str, expected: float) -> None:
    assert factor(had, wanted, QUARTER, 50.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("had", "wanted", "words"),
    [
        ("kWh", "kW", "only over events that last"),
        ("%", "kWh", "only with a capacity"),
        ("EUR/kWh", "USD/kWh", "of the same kind"),
        ("kW", "degC", "of the same kind"),
        ("%", "degC", "of the same kind"),
        ("kW", "parsec", "unknown unit"),
    ],
)
def test_what_cannot_be_turned_is_refused_with_a_remedy(had: str, wanted: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        factor(had, wanted, timedelta(0))


def test_energy_and_money_are_added_up_and_all_else_averaged() -> None:
    assert [way(unit) for unit in ("kWh", "MJ", "EUR", "kW", "EUR/kWh", "parsec")] == [
        "sum", "sum", "sum", "mean", "mean", "mean",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("had", "wanted", "value", "expected"),
    [
        ("°C", "K", 20.0, 293.15),
        ("°F", "°C", 212.0, 100.0),
        ("EUR/MWh", "EUR/kWh", 86.0, 0.08600000000000001),
        ("m³", "l/s", 0.9, 1.0),
        ("EUR", "EUR/h", 1.0, 4.0),
        ("J/s", "kW", 1500.0, 1.5),
    ],
)
def test_any_units_of_one_kind_are_turned(
    had: str, wanted: str, value: float, expected: float
) -> None:
    assert conversion(had, wanted, QUARTER)(value) == pytest.approx(expected, rel=1e-15)


def test_a_factor_is_not_given_where_zeros_differ() -> None:
    with pytest.raises(ValueError, match="zeros"):
        factor("°C", "°F")


def test_what_can_become_what_is_known_before_there_are_values() -> None:
    assert convertible("kWh", "kW")
    assert not convertible("kWh", "EUR")
    assert not convertible("%", "kWh")
    assert convertible("%", "kWh", whole=True)
    assert not convertible("%", "degC", whole=True)


UNITS = st.sampled_from(["W", "kW", "MW", "kWh", "MJ", "Wh", "kVA"])
VALUES = st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=48)
LENGTHS = st.sampled_from([timedelta(minutes=n) for n in (1, 5, 15, 60, 1440)])


@given(VALUES, UNITS, UNITS, LENGTHS)
def test_values_turned_there_and_back_are_what_they_were(
    values: list[float], had: str, wanted: str, length: timedelta
) -> None:
    before = np.array(values)
    after = conversion(wanted, had, length)(conversion(had, wanted, length)(before))
    np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-290)  # what no prefix can lose


@given(VALUES, st.integers(1, 12), st.sampled_from(["sum", "mean"]))
def test_parts_that_are_merged_again_are_what_they_were(
    values: list[float], parts: int, how: Way
) -> None:
    before = np.array(values)
    again = merged(split(before, parts, how), parts, how)
    np.testing.assert_allclose(again, before, rtol=1e-12, atol=1e-290)


@given(VALUES, st.integers(1, 12))
def test_energy_is_the_same_however_long_the_events_are(values: list[float], parts: int) -> None:
    """Of power: mean times length; of energy: the sum."""
    known = np.nan_to_num(np.array(values))
    whole = np.resize(known, len(known) * parts)
    assert merged(whole, parts, "sum").sum() == pytest.approx(whole.sum(), abs=1e-6)
    assert merged(whole, parts, "mean").sum() * parts == pytest.approx(whole.sum(), abs=1e-6)
    assert split(known, parts, "sum").sum() == pytest.approx(known.sum(), abs=1e-6)
    assert split(known, parts, "mean").sum() / parts == pytest.approx(known.sum(), abs=1e-6)


def test_a_gap_is_no_zero() -> None:
    values = np.array([1.0, math.nan, math.nan, math.nan, 3.0, 5.0])
    np.testing.assert_array_equal(merged(values, 2, "mean"), [1.0, math.nan, 4.0])
    np.testing.assert_array_equal(merged(values, 2, "sum"), [math.nan, math.nan, 8.0])
