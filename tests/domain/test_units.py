"""Quantities as people write them."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from flexedge.domain.units import (
    Dimension,
    EnergyKwh,
    Money,
    PowerKw,
    Price,
    PricePerKw,
    PricePerKwh,
    Share,
    duration,
    money,
    parse_unit,
    position_price,
    price,
    quantity,
    ramp,
    sensor_unit,
)


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("5 kW", "power", 5.0),
        ("5kW", "power", 5.0),
        (" -2.5 MW ", "power", -2500.0),
        ("1e3 W", "power", 1.0),
        ("500 kVA", "power", 500.0),
        ("10 kWh", "energy", 10.0),
        ("1.5 MWh", "energy", 1500.0),
        ("90%", "share", 0.9),
        ("0.9", "share", 0.9),
        (1, "share", 1.0),
        ("55 degC", "temperature", 55.0),
        ("-5 °C", "temperature", -5.0),
        ("0.5 m3", "volume", 500.0),
        ("6000 mA", "current", 6.0),
    ],
)
def test_quantities_become_house_units(text: object, dimension: Dimension, value: float) -> None:
    assert quantity(text, dimension) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "dimension", "said"),
    [
        (5, "power", "has no unit; write it as '5 kW'"),
        ("5", "energy", "has no unit; write it as '10 kWh'"),
        ("5 kWh", "power", "is energy, but this is power: write it as '5 kW'"),
        ("5 kw", "power", "unknown unit 'kw'; did you mean 'kW'?"),
        ("5 parsec", "power", "unknown unit 'parsec'; known are"),
        ("five kW", "power", "is not a quantity"),
        ("1e999 kW", "power", "is not a finite number"),
        ("nan kW", "power", "is not a quantity"),
        (True, "power", "should be a quantity such as '5 kW'"),
        (None, "share", "should be a quantity such as '90%'"),
        (["5 kW"], "power", "should be a quantity"),
    ],
)
def test_anything_else_is_refused_with_a_remedy(
    text: object, dimension: Dimension, said: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        quantity(text, dimension)


def test_prices_have_a_currency() -> None:
    assert price("290 EUR/MWh", "energy-price") == Price(290 * (1 / 1e3), "EUR")
    assert price("120 CHF/MW", "power-price") == Price(120 * (1 / 1e3), "CHF")
    assert price(Price(1.0, "EUR"), "energy-price") == Price(1.0, "EUR")
    assert str(Price(0.29, "EUR")) == "0.29 EUR"
    with pytest.raises(ValueError, match="is power price, but this is energy price"):
        price("120 EUR/kW", "energy-price")
    with pytest.raises(ValueError, match="unknown unit 'EUR/l'"):
        price("1 EUR/l", "energy-price")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT15M", 900),
        ("P1DT2H", 93600),
        ("P2W", 1209600),
        ("PT0.5S", 0.5),
        ("15 min", 900),
        ("50ms", 0.05),
        ("0s", 0),
        ("1.5h", 5400),
        (timedelta(seconds=7), 7),
    ],
)
def test_durations(text: object, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["P", "PT", "15", 15, "-1 s", "1 fortnight", None, "PT15M ", "15 min\n", "PT1M\n"]
)
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        duration(text)


@pytest.mark.parametrize("text", ["99999999999d", "P99999999999D", f"{'9' * 400}h"])
def test_durations_too_long_for_python_are_refused_not_crashed_upon(text: str) -> None:
    with pytest.raises(ValueError, match="too long"):
        duration(text)


def test_units_of_sensors() -> None:
    assert sensor_unit("W") == ("kW", 1e-3)
    assert sensor_unit("MWh") == ("kWh", 1e3)
    assert sensor_unit("%") == ("%", 1.0)
    assert sensor_unit("degC") == ("degC", 1.0)
    assert sensor_unit("") == ("", 1.0)
    with pytest.raises(ValueError, match="unknown unit"):
        sensor_unit("furlong")


def test_money_is_an_amount_and_a_currency() -> None:
    assert money("0.50 EUR") == Money(0.5, "EUR")
    for wrong in ("0.50", "EUR", "0.5 EUR/kWh", 0.5, None, "5 euro"):
        with pytest.raises(ValueError, match=r"write it as '0.50 EUR'"):
            money(wrong)


def test_a_ramp_is_a_power_per_time() -> None:
    assert ramp("10 kW/h") == 10.0
    assert ramp("500 W/min") == 30.0
    for wrong in ("10 kW", "10 kW/s", 10.0):
        with pytest.raises(ValueError, match="should be a power per time, such as '10 kW/h'"):
            ramp(wrong)
    with pytest.raises(ValueError, match="'x' is not a quantity"):
        ramp("x/h")


def test_a_price_of_a_position_says_what_it_is_the_price_of() -> None:
    assert position_price("300 EUR/MWh") == Price(0.3, "EUR", "kWh")
    assert position_price("120 EUR/kW") == Price(120.0, "EUR", "kW")
    with pytest.raises(ValueError, match="is energy, but this is energy price"):
        position_price("3 kWh")


@given(st.text(max_size=12))
def test_any_text_is_a_unit_or_a_value_error(text: str) -> None:
    try:
        unit = parse_unit(text)
    except ValueError:
        return
    assert unit.factor > 0


class Written(BaseModel):
    """Quantities in a model."""

    power: PowerKw
    energy: EnergyKwh
    share: Share
    import_price: PricePerKwh
    peak_price: PricePerKw


_numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@given(_numbers, _numbers, _numbers, _numbers)
def test_what_is_written_is_read_back_exactly(
    power: float, energy: float, share: float, money: float
) -> None:
    first = Written(
        power=f"{power!r} kW",
        energy=f"{energy!r} kWh",
        share=share,
        import_price=Price(money, "EUR"),
        peak_price=Price(money, "EUR"),
    )
    assert Written.model_validate_json(first.model_dump_json()) == first


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("8 cEUR/kWh", 0.08, "EUR"),
        ("80 EUR / MWh", 0.08, "EUR"),
        ("0.00008 MEUR/MWh", 0.08, "EUR"),
        ("36 EUR/GJ", 0.1296, "EUR"),
        ("400 g/kWh", 0.4, "kg"),
        ("0.4 t/MWh", 0.4, "kg"),
    ],
)
def test_money_may_have_a_prefix_and_masses_are_counted_in_kg(
    text: str, value: float, currency: str
) -> None:
    found = price(text, "energy-price")
    assert found.value == pytest.approx(value)
    assert found.currency == currency
