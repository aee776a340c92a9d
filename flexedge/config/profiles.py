"""Profiles of devices from files: the shipped catalogue and folders of the installer's own."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path

from flexedge.config.load import Route, read_yaml
from flexedge.config.profile import (
    ModbusProfile,
    MqttProfile,
    Profile,
    ProfileFile,
    Written,
)
from flexedge.config.site import Device
from flexedge.config.validate import remedy, validate
from flexedge.errors import ConfigError, Problem

_ROLES = ("battery", "pv", "grid", "ev", "heat-pump", "switch", "device")
"""What the first half of a point's name may be; "device" for what is about the device itself."""
_OPTION = re.compile(r"\{([^{}]*)\}")


def catalogue() -> Mapping[str, Path]:
    """The shipped profiles: name to file."""
    folder = resources.files("flexedge.config") / "catalogue"
    return _by_name(Path(str(entry)) for entry in folder.iterdir())


def profiles_in(folders: Iterable[Path]) -> Mapping[str, Path]:
    """The shipped profiles and those in ``folders``; of the same name the last one counts.

    Raises ``ConfigError`` for a folder that cannot be read.
    """
    found = dict(catalogue())
    for folder in folders:
        try:
            found |= _by_name(folder.iterdir())
        except OSError as error:
            message = f"the folder of profiles cannot be read: {error.strerror}"
            raise ConfigError([Problem(str(folder), None, None, message)]) from error
    return found


def load_profile(path: Path) -> Profile:
    """Read one profile. Raises ``ConfigError`` with all that is wrong with it."""
    document = read_yaml(path)
    profile = validate(document, ProfileFile, under="file").file
    problems = [
        document.problem(route, message)
        for check in _CHECKS
        for route, message in check(profile, path)
    ]
    if problems:
        raise ConfigError(problems)
    return profile


def options(profile: Profile, device: Device) -> dict[str, str | int | float]:
    """What the installer said about a device, with the profile's defaults for the rest."""
    defaults = {name: option.default for name, option in profile.options.items()}
    return {name: value for name, value in defaults.items() if value is not None} | device.options


def points_of(profile: Profile, device: Device) -> tuple[str, ...]:
    """The points this one device has: without those that need an option it does not give."""
    if isinstance(profile, ModbusProfile):
        return tuple(profile.points)
    given = options(profile, device).keys()
    return tuple(
        name
        for name, point in profile.points.items()
        if not point.optional or set(_OPTION.findall(point.topic)) <= given
    )


def _by_name(files: Iterable[Path]) -> dict[str, Path]:
    return {file.stem: file for file in sorted(files) if file.suffix == ".yaml"}


_Found = Iterator[tuple[Route, str]]


def _name(profile: Profile, path: Path) -> _Found:
    if profile.profile != path.stem:
        yield (
            ("profile",),
            f"'{profile.profile}' should be named as its file: '{path.stem}'",
        )


def _provided(profile: Profile, _path: Path) -> _Found:
    for i, role in enumerate(profile.provides):
        if f"{role}.power" not in profile.points:
            yield ("provides", i), f"provides {role}, but there is no point {role}.power"
    for name in profile.points:
        kind = name.partition(".")[0]
        if kind not in _ROLES:
            yield ("points", name), f"unknown role '{kind}'" + remedy(kind, _ROLES)


def _points(profile: Profile, _path: Path) -> _Found:
    for name, point in profile.points.items():
        if point.turns_at is not None and name.partition(".")[2].startswith("soc"):
            yield ("points", name, "turns-at"), "turns-at is for counters; a soc is what is stored"
        if point.relative_to is not None:
            yield from _rating(profile, point.relative_to, ("points", name, "relative-to"))
        for other in point.zero_when:
            if other not in profile.points:
                yield (
                    ("points", name, "zero-when", other),
                    f"there is no point {other}{remedy(other, profile.points)}",
                )


def _rating(profile: Profile, name: str, route: Route) -> _Found:
    rating = profile.points.get(name)
    if rating is None:
        yield route, f"there is no point {name}{remedy(name, profile.points)}"
    elif rating.sensor_unit != "kW" or rating.relative_to is not None:
        yield route, f"{name} should be a power that is read as such"


def _controls(profile: Profile, _path: Path) -> _Found:
    for name, control in profile.control.items():
        here: Route = ("control", name)
        role, _, quantity = name.partition(".")
        if quantity != "power" or role not in profile.provides:
            yield here, f"only a power is controlled, and of what the profile provides: not {name}"
        shown = profile.points.get(control.readback)
        if shown is None:
            hint = remedy(control.readback, profile.points)
            yield (*here, "readback"), f"there is no point {control.readback}{hint}"
        elif shown.sensor_unit not in ("kW", ""):
            yield (
                (*here, "readback"),
                f'{control.readback} is in {shown.sensor_unit}: a power is needed, or unit ""',
            )
        for i, write in enumerate(control.write):
            yield from _setpoint(profile, write, control.amps is not None, (*here, "write", i))
        for part in ("fallback", "enable", "release"):
            yield from _constant(getattr(control, part), (*here, part))


def _setpoint(profile: Profile, write: Written, has_amps: bool, route: Route) -> _Found:  # noqa: FBT001 (private)
    if write.setpoint is None:
        return
    if write.setpoint.unit in ("A", "mA") and not has_amps:
        yield route, "a setpoint in A needs amps beside write, to know volts and phases"
    if write.setpoint.relative_to is not None:
        yield from _rating(profile, write.setpoint.relative_to, (*route, "setpoint", "relative-to"))


def _constant(writes: Iterable[Written], route: Route) -> _Found:
    for i, write in enumerate(writes):
        if write.value is None:
            yield (*route, i), f"{route[-1]} writes constants only: give value"


def _topics(profile: Profile, _path: Path) -> _Found:
    if not isinstance(profile, MqttProfile):
        return
    sure = {name for name, option in profile.options.items() if option.required}
    sure |= {name for name, option in profile.options.items() if option.default is not None}
    for name, point in profile.points.items():
        known = profile.options.keys() if point.optional else sure
        yield from _topic(point.topic, known, profile, ("points", name, "topic"))
    for name, control in profile.control.items():
        for part in ("fallback", "enable", "write", "release"):
            for i, write in enumerate(getattr(control, part)):
                yield from _topic(write.topic, sure, profile, ("control", name, part, i, "topic"))


def _topic(topic: str, known: Iterable[str], profile: Profile, route: Route) -> _Found:
    for option in _OPTION.findall(topic):
        if option not in profile.options:
            yield route, f"there is no option '{option}'{remedy(option, profile.options)}"
        elif option not in known:
            yield route, f"option '{option}' may be left out: make it required or give a default"


_CHECKS: tuple[Callable[[Profile, Path], _Found], ...] = (
    _name,
    _provided,
    _points,
    _controls,
    _topics,
)
