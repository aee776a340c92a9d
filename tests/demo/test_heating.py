import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.demo.heating import KWH_PER_KELVIN, LEAST_KW, MOST_KW, HeatPump, cop

_WISH = st.one_of(st.none(), st.integers(0, 5000))


@given(st.floats(30, 58), st.lists(st.tuples(_WISH, st.floats(-10, 25), st.floats(0, 6))))
def test_energy_is_conserved(
    buffer_c: float, wishes: list[tuple[int | None, float, float]]
) -> None:
    pump = HeatPump(buffer_c)
    for second, (surplus, outdoor, demand) in enumerate(wishes):
        before = pump.buffer_c
        pump.tell(surplus, float(second), "me")
        pump.step(float(second), 1.0, outdoor, demand)
        heater = pump.power_kw - pump.compressor_kw
        loss = 0.0025 * (before - 20.0)
        heat = pump.compressor_kw * pump.cop + heater - demand - loss
        assert (pump.buffer_c - before) * KWH_PER_KELVIN == pytest.approx(heat / 3600, abs=1e-9)
        assert pump.compressor_kw == 0 or LEAST_KW <= pump.compressor_kw <= MOST_KW
        assert heater == pytest.approx(3.0 if before < 33.0 else 0.0, abs=1e-9)


def test_cop_falls_with_cold_air_and_hot_water() -> None:
    assert cop(10.0, 35.0) > cop(10.0, 50.0) > cop(-10.0, 50.0)
    assert 2.5 < cop(7.0, 45.0) < 4.5


def _lived(pump: HeatPump, seconds: int, demand: float = 0.0, start: float = 0.0) -> HeatPump:
    for second in range(seconds):
        pump.step(start + second, 1.0, 8.0, demand)
    return pump


def test_its_thermostat_keeps_the_buffer_between_two_temperatures() -> None:
    pump = HeatPump(41.0)
    seen = []
    for _ in range(40):
        _lived(pump, 900, demand=2.0)
        seen.append(pump.buffer_c)
    assert min(seen) > 40.5
    assert max(seen) < 49
    assert max(seen) - min(seen) > 3


def test_it_uses_the_surplus_within_its_limits() -> None:
    pump = HeatPump(45.0)
    for surplus, power in ((1500, 1.5), (5000, MOST_KW), (500, 0.0)):
        pump.tell(surplus, 0.0, "me")
        assert _lived(pump, 30).power_kw == pytest.approx(power)


def test_without_renewal_it_goes_back_to_its_thermostat() -> None:
    pump = HeatPump(41.0)
    pump.tell(0, 0.0, "me")
    assert _lived(pump, 61).power_kw == 0
    assert pump.state == "uses surplus"
    assert _lived(pump, 1, start=61.0).power_kw > 0
    assert pump.state == "own thermostat"


@pytest.mark.parametrize(("buffer_c", "surplus", "runs"), [(57.5, 3000, False), (33.5, 0, True)])
def test_it_protects_itself(buffer_c: float, surplus: int, *, runs: bool) -> None:
    pump = HeatPump(buffer_c)
    pump.tell(surplus, 0.0, "me")
    assert (_lived(pump, 30).compressor_kw > 0) == runs


def test_a_cold_buffer_is_counted_and_heated_directly() -> None:
    pump = _lived(HeatPump(32.0), 1)
    assert pump.cold_degree_s == pytest.approx(1.0)
    assert pump.power_kw == pytest.approx(3.0 + pump.compressor_kw)
    assert pump.stored_kwh < 0
