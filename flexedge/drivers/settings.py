"""What the installer's options make of a profile."""

from collections.abc import Mapping
from typing import TypeVar

from flexedge.config.profile import ModbusControl, ModbusPoint, MqttControl, MqttPoint
from flexedge.errors import ConfigError, Problem

Options = Mapping[str, str | int | float]
_Told = TypeVar("_Told", ModbusPoint, ModbusControl, MqttPoint, MqttControl)


def in_phases(device: str, told: Mapping[str, _Told], options: Options) -> dict[str, _Told]:
    """Points or controls, those told in amperes with the phases of the option "phases", if given.

    Raises ``ConfigError`` when that is not 1, 2 or 3.
    """
    return {name: _in_phases(device, one, options.get("phases")) for name, one in told.items()}


def _in_phases(device: str, told: _Told, phases: str | float | None) -> _Told:
    amps = told.amps
    if amps is None or phases is None:
        return told
    if str(phases) not in {"1", "2", "3"}:
        message = f'option "phases" should be 1, 2 or 3, not {phases!r}'
        raise ConfigError([Problem(f"devices.{device}", None, None, message)])
    return told.model_copy(update={"amps": amps.model_copy(update={"phases": int(phases)})})
