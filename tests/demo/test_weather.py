import numpy as np

from flexedge.demo.weather import clear_sky, outdoor_c, transmission

_DAY = 86400.0
_JANUARY, _JULY = 1768003200.0, 1783641600.0  # 10 January and 10 July 2026, midnight UTC


def test_july_is_warmer_than_january_and_afternoons_than_nights() -> None:
    month = np.arange(0.0, 20 * _DAY, 3600.0)
    winter, summer = outdoor_c(1, _JANUARY + month, 4.9), outdoor_c(1, _JULY + month, 4.9)
    assert -4 < winter.mean() < 8
    assert 14 < summer.mean() < 22
    by_hour = summer.reshape(-1, 24).mean(axis=0)
    assert by_hour[14] > by_hour[3] + 4


def test_sun_rises_and_sets() -> None:
    sky = clear_sky(_JULY + np.arange(0.0, _DAY), 52.37, 4.90)
    assert sky[0] == 0.0
    assert 0.85 < sky.max() <= 1.0
    assert np.abs(np.diff(sky)).max() < 1e-3


def test_clouds_pass_and_leave_some_light() -> None:
    share = transmission(1, _JULY + np.arange(0.0, 20 * _DAY, 5.0))
    assert 0.1 < share.min() < 0.4
    assert share.max() > 0.9
    ramp = np.abs(np.diff(share)).max() / 5.0
    assert 0.002 < ramp < 0.05  # a passing cloud takes some ten seconds
