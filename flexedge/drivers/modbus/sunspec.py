"""Where a SunSpec device keeps its models: a chain of (id, length) from the "SunS" marker on.

Source: SunSpec Device Information Model Specification, "SunSpec Modbus map".
"""

from collections.abc import Sequence

from flexedge.drivers.modbus.client import IllegalAddress, ModbusClient
from flexedge.errors import DeviceGarbled, DeviceRefused

_MARKER = (0x5375, 0x6E53)  # "SunS"
_END = 0xFFFF
_HEAD = 2  # words: id and length
_MOST_MODELS = 100
_ADDRESSES = 0x10000


def walk(device: str, client: ModbusClient, bases: Sequence[int]) -> dict[int, int]:
    """The address of the ID register of each model; of models that repeat, the first.

    Raises ``DeviceGarbled`` where there is no marker or the chain breaks.
    """
    address = _first_model(device, client, bases)
    models: dict[int, int] = {}
    for _ in range(_MOST_MODELS):
        try:
            model, length = client.read("holding", address, _HEAD)
        except IllegalAddress:
            if models:  # some devices end without the end marker
                return models
            raise
        if model == _END:
            return models
        following = address + _HEAD + length
        if length == 0 or following + _HEAD > _ADDRESSES:
            raise DeviceGarbled(
                device, f"its SunSpec model {model} at {address} claims a length of {length}"
            )
        models.setdefault(model, address)
        address = following
    raise DeviceGarbled(device, f"its chain of SunSpec models has no end after {_MOST_MODELS}")


def _first_model(device: str, client: ModbusClient, bases: Sequence[int]) -> int:
    for base in bases:
        try:
            marker = client.read("holding", base, len(_MARKER))
        except DeviceRefused:
            continue
        if marker == _MARKER:
            return base + len(_MARKER)
    places = ", ".join(str(base) for base in bases)
    raise DeviceGarbled(device, f"has no SunSpec marker at {places}")
