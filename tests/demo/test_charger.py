import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.demo.charger import (
    CAPACITY_KWH,
    CHARGING,
    COMPLETE,
    EFFICIENCY,
    IDLE,
    NEUTRAL,
    OFF,
    ON,
    ONE_PHASE,
    WAITING,
    Car,
    Charger,
)
from flexedge.demo.trips import Trip

_TRIP = Trip(0.0, 36000.0, 10.0, workday=True)


@given(
    st.floats(3, CAPACITY_KWH),
    st.lists(st.tuples(st.integers(6, 16), st.sampled_from([0, 1, 2]), st.booleans())),
)
def test_energy_is_conserved(soc: float, wishes: list[tuple[int, int, bool]]) -> None:
    charger = Charger(Car(soc))
    for second, (amps, force, away) in enumerate(wishes):
        charger.amps, charger.force, charger.written_at = amps, force, float(second)
        before, elsewhere = charger.car.soc_kwh, charger.car.elsewhere_kwh
        charger.step(float(second), 1.0, _TRIP if away else None)
        driven = _TRIP.driving_kw / 3600 if away else 0.0
        got = charger.car.elsewhere_kwh - elsewhere + charger.power_kw * EFFICIENCY / 3600
        assert charger.car.soc_kwh == pytest.approx(before + got - driven, abs=1e-9)
        assert 0 <= charger.power_kw <= 11.05
        assert not (away and charger.power_kw)


def _charged(charger: Charger, seconds: int) -> Charger:
    for second in range(seconds):
        charger.step(float(second), 1.0, None)
    return charger


def test_it_charges_at_once_when_left_alone() -> None:
    charger = _charged(Charger(Car(20.0)), 10)
    assert charger.power_kw == pytest.approx(11.04, abs=0.01)
    assert charger.car_state == CHARGING


def test_one_phase_and_least_current() -> None:
    charger = Charger(Car(20.0))
    charger.phase_mode, charger.amps = ONE_PHASE, 6
    assert _charged(charger, 10).power_kw == pytest.approx(1.38, abs=0.01)


def test_a_full_car_takes_less_then_nothing() -> None:
    assert Car(CAPACITY_KWH * 0.95).wants_kw < 8
    charger = _charged(Charger(Car(CAPACITY_KWH - 0.001)), 60)
    assert charger.power_kw == pytest.approx(0.0, abs=1e-6)
    assert charger.car_state == COMPLETE


def test_commands_end_when_they_are_not_renewed() -> None:
    charger = Charger(Car(20.0))
    charger.force, charger.written_at = OFF, 0.0
    charger.step(60.0, 1.0, None)
    assert (charger.power_kw, charger.car_state, charger.state) == (0, WAITING, "held off")
    charger.step(61.0, 1.0, None)
    assert charger.force == NEUTRAL
    assert charger.power_kw > 0
    charger.force = ON
    assert charger.state == "held on"


def test_departure_to_work_counts_what_is_missing() -> None:
    charger = Charger(Car(40.0))
    charger.step(0.0, 1.0, _TRIP)
    charger.step(1.0, 1.0, _TRIP)
    assert charger.car.shortfall_kwh == pytest.approx(5.0)
    assert charger.car_state == IDLE
    charger.step(2.0, 1.0, None)
    assert charger.plugged


def test_an_empty_car_is_charged_elsewhere() -> None:
    charger = Charger(Car(3.0))
    charger.step(0.0, 1.0, _TRIP)
    assert charger.car.soc_kwh == 3.0
    assert charger.car.elsewhere_kwh == pytest.approx(_TRIP.driving_kw / 3600)
