import pytest

from flexedge.config.profile import ModbusControl, ModbusPoint
from flexedge.drivers.settings import in_phases
from flexedge.errors import ConfigError

POINTS = {
    "ev.allowed": ModbusPoint.model_validate({"address": 0, "unit": "A", "amps": {"volts": 230}}),
    "ev.power": ModbusPoint.model_validate({"address": 1, "unit": "W"}),
}
CONTROL = ModbusControl.model_validate(
    {
        "readback": "ev.allowed",
        "amps": {"phases": 2},
        "write": [{"address": 0, "setpoint": {"unit": "A"}}],
        "release": [{"address": 0, "value": 0}],
    }
)


@pytest.mark.parametrize("phases", [1, "1"])
def test_the_installers_word_goes_before_the_profiles(phases: str | int) -> None:
    points = in_phases("car", POINTS, {"phases": phases})
    assert points["ev.allowed"].factor == 0.23
    assert points["ev.power"] == POINTS["ev.power"]
    (control,) = in_phases("car", {"ev.power": CONTROL}, {"phases": phases}).values()
    assert control.amps is not None
    assert control.amps.kw_per_ampere == 0.23
    assert control.write == CONTROL.write


def test_without_a_word_the_profile_counts() -> None:
    assert in_phases("car", POINTS, {"serial": "42"}) == POINTS


@pytest.mark.parametrize("phases", ["two", 4, 0, 1.5])
def test_nonsense_names_the_device(phases: str | float) -> None:
    with pytest.raises(ConfigError, match=r"devices\.car: option .phases. should be 1, 2 or 3"):
        in_phases("car", POINTS, {"phases": phases})


def test_where_nothing_is_told_in_amperes_the_option_means_something_else() -> None:
    watts = {"ev.power": POINTS["ev.power"]}
    assert in_phases("car", watts, {"phases": "L1 and L2"}) == watts
