from datetime import timedelta

import pytest

from flexedge.domain.convert import factor, way

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
        ("kW", "lux", "unknown unit"),
    ],
)
def test_what_cannot_be_turned_is_refused_with_a_remedy(had: str, wanted: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        factor(had, wanted, timedelta(0))


def test_energy_is_added_up_and_all_else_averaged() -> None:
    assert [way(unit) for unit in ("kWh", "MJ", "kW", "EUR/kWh", "lux")] == [
        "sum", "sum", "mean", "mean", "mean",
    ]  # fmt: skip
