from fractions import Fraction

import pytest

from flexedge.domain.measures import ENERGY, POWER, SHARE, TIME, is_money, measure


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kW", "kJ/s"),
        ("kWh", "kW h"),
        ("kWh", "kW·h"),
        ("VA", "W"),
        ("m3/h", "m³/h"),
        ("m**3", "m^3"),
        ("W/m²", "W m^-2"),
        ("W/m²", "W·m⁻²"),
        ("hPa", "mbar"),
        ("Nm/s", "W"),
        ("g/kWh", "kg/MWh"),
        ("%", "percent"),
        ("", "dimensionless"),
        ("/h", "1/h"),
        ("kW/m/m", "kW/m²"),
    ],
)
def test_units_that_say_the_same_are_the_same(one: str, other: str) -> None:
    assert measure(one) == measure(other)


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("min", 60),
        ("mm", Fraction(1, 1000)),
        ("cd", 1),
        ("d", 86400),
        ("ha", 10_000),
        ("Pa", 1),
        ("MWh", 3_600_000_000),
        ("cEUR", Fraction(1, 100)),
        ("MEUR/GWh", Fraction(10**6, 3_600_000_000_000)),
        ("t", 1000),
        ("µg", Fraction(1, 10**9)),
    ],
)
def test_prefixes_are_told_from_names(text: str, factor: Fraction) -> None:
    assert measure(text).factor == factor


def test_dimensions_are_known() -> None:
    assert measure("MWh").powers == ENERGY
    assert measure("VA").powers == POWER
    assert measure("%").powers == SHARE
    assert measure("kWh").over(measure("kW")).powers == TIME
    assert measure("EUR").powers != measure("USD").powers
    assert [is_money(measure(text).powers) for text in ("kEUR", "EUR/kWh", "kWh", "1/EUR")] == [
        True, False, False, False,
    ]  # fmt: skip


def test_temperatures_that_stand_alone_have_a_zero() -> None:
    assert measure("°C").zero == Fraction("273.15")
    assert float(measure("degF").zero) == pytest.approx(255.372, abs=1e-3)
    assert measure("K").zero == measure("kWh/°C").zero == 0


@pytest.mark.parametrize(
    "text",
    ["potatoe", "KWH", "kw", "kW/", "kW**", "m^0", "m^99", "kW//h", "EURO", "kkW", "5", "k" * 99],
)
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unit"):
        measure(text)
