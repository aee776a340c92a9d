import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.demo.battery import (
    BACK_UP,
    CAPACITY_KWH,
    EFFICIENCY,
    FEED_IN_FIRST,
    POWER_KW,
    STANDBY_KW,
    Battery,
    Hybrid,
)


@given(st.floats(0, CAPACITY_KWH), st.lists(st.tuples(st.floats(-9, 9), st.floats(0.1, 1))))
def test_energy_is_conserved(soc: float, wishes: list[tuple[float, float]]) -> None:
    battery = Battery(soc)
    for wanted, dt in wishes:
        before = battery.soc_kwh
        battery.step(wanted, dt)
        power, hours = battery.power_kw, dt / 3600
        inner = power * EFFICIENCY if power > 0 else power / EFFICIENCY
        standby = min(STANDBY_KW * hours, before)
        assert battery.soc_kwh == pytest.approx(before + inner * hours - standby, abs=1e-9)
        assert 0 <= battery.soc_kwh <= CAPACITY_KWH
        assert abs(power) <= POWER_KW + 1e-9


def test_a_round_trip_keeps_92_percent() -> None:
    battery = Battery(0.0)
    drawn = given_back = 0.0
    for _ in range(3600):
        battery.step(3.0, 1.0)
        drawn += battery.power_kw
    for _ in range(4 * 3600):
        battery.step(-3.0, 1.0)
        given_back -= battery.power_kw
    assert given_back / drawn == pytest.approx(0.92, abs=0.015)  # and a little standby


def test_power_tapers_at_both_ends() -> None:
    assert Battery(5.0).most_charge_kw == Battery(5.0).most_discharge_kw == POWER_KW
    assert 0 < Battery(9.9).most_charge_kw < 2
    assert 0 < Battery(0.1).most_discharge_kw < 2
    assert Battery(CAPACITY_KWH).most_charge_kw == Battery(0.0).most_discharge_kw == 0


def _lived(hybrid: Hybrid, ct_kw: float, seconds: int, start: float = 0.0) -> Hybrid:
    load = ct_kw - hybrid.battery.power_kw
    for second in range(seconds):
        hybrid.ct_kw = load + hybrid.battery.power_kw
        hybrid.step(start + second, 1.0)
    return hybrid


@pytest.mark.parametrize("load", [2.0, -3.0])
def test_self_use_follows_the_grid_to_zero(load: float) -> None:
    hybrid = _lived(Hybrid(Battery(5.0)), load, 12)
    assert hybrid.battery.power_kw == pytest.approx(-load, abs=0.02)
    assert hybrid.state == "self-use"


def test_other_work_modes() -> None:
    hybrid = Hybrid(Battery(5.0))
    hybrid.work_mode = FEED_IN_FIRST
    assert _lived(hybrid, -3.0, 12).battery.power_kw == pytest.approx(0.0, abs=0.01)
    hybrid.work_mode = BACK_UP
    assert _lived(hybrid, 3.0, 12).battery.power_kw == pytest.approx(0.0, abs=0.01)


def test_remote_control_ends_when_it_is_not_renewed() -> None:
    hybrid = Hybrid(Battery(5.0))
    hybrid.remote, hybrid.timeout_s, hybrid.setpoint_w = True, 60, -2000
    hybrid.touch(100.0, "me")
    _lived(hybrid, 0.0, 60, start=100.0)
    assert hybrid.remote
    assert hybrid.battery.power_kw == pytest.approx(2.0, abs=1e-3)
    _lived(hybrid, 2.0, 2, start=160.0)
    assert not hybrid.remote
