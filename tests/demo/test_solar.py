import pytest

from flexedge.demo.solar import PEAK_KW, Inverter, available_kw


def test_full_sun_gives_nearly_the_peak_and_heat_costs() -> None:
    assert 6 < available_kw(1.0, 15.0) < PEAK_KW
    assert available_kw(1.0, 35.0) < available_kw(1.0, 5.0)
    assert available_kw(0.0, 15.0) == 0.0


def test_the_counter_counts_what_is_given() -> None:
    inverter = Inverter()
    for second in range(3600):
        inverter.step(float(second), 1.0, 0.5, 10.0)
    assert inverter.energy_wh == pytest.approx(available_kw(0.5, 10.0) * 1000)
    assert inverter.power_kw == -available_kw(0.5, 10.0)


def test_a_limit_binds_until_it_reverts() -> None:
    inverter = Inverter()
    inverter.limited, inverter.limit_share, inverter.revert_s = True, 0.25, 60
    inverter.touch(0.0, "me")
    inverter.step(60.0, 1.0, 0.9, 10.0)
    assert inverter.power_kw == -2.0
    assert inverter.throttled
    assert inverter.state == "limited"
    inverter.step(61.0, 1.0, 0.9, 10.0)
    assert inverter.power_kw < -5
    assert inverter.state == "free"


def test_a_limit_without_reversion_stays() -> None:
    inverter = Inverter()
    inverter.limited, inverter.limit_share = True, 0.0
    inverter.touch(0.0, "me")
    inverter.step(1e6, 1.0, 0.9, 10.0)
    assert inverter.power_kw == 0
