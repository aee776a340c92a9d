"""What the installer's options make of a profile's control points."""

from collections.abc import Mapping

from flexedge.config.profile import Control, Profile
from flexedge.config.site import Device
from flexedge.drivers.power import Grip, grip
from flexedge.errors import ConfigError, Problem

Options = Mapping[str, str | int | float]


def option_values(profile: Profile, device: Device) -> Options:
    """The device's options, with the profile's defaults for those it does not give."""
    defaults = {
        name: option.default
        for name, option in profile.options.items()
        if option.default is not None
    }
    return {**defaults, **device.options}


def grips(device: str, controls: Mapping[str, Control], options: Options) -> dict[str, Grip]:
    """How to take hold of each control point; ``ConfigError`` where an option makes no sense."""
    try:
        return {name: grip(name, control, options) for name, control in controls.items()}
    except ValueError as error:
        problem = Problem(f"devices.{device}", None, None, str(error))
        raise ConfigError([problem]) from error
