import pytest

from flexedge.config.profile import Amps, Control, MqttProfile
from flexedge.config.site import Device
from flexedge.drivers.settings import grips, option_values
from flexedge.errors import ConfigError

PROFILE = MqttProfile.model_validate(
    {
        "profile": "test",
        "title": "Test",
        "driver": "mqtt",
        "provides": [],
        "source": "made up",
        "options": {"serial": {"help": "on the label"}, "phases": {"help": "1-3", "default": 3}},
        "points": {},
    }
)
AMPS = Control(readback="ev.current", amps=Amps())


def test_the_installers_word_goes_before_the_profiles() -> None:
    assert option_values(PROFILE, Device(profile="test")) == {"phases": 3}
    device = Device(profile="test", options={"serial": "42", "phases": 1})
    assert option_values(PROFILE, device) == {"serial": "42", "phases": 1}


def test_options_reach_the_control_points() -> None:
    assert grips("car", {"ev.power": AMPS}, {"phases": 1})["ev.power"].kw_per_ampere == 0.23


def test_nonsense_names_the_device() -> None:
    with pytest.raises(ConfigError, match=r"devices\.car: option .phases. should be 1, 2 or 3"):
        grips("car", {"ev.power": AMPS}, {"phases": "two"})
