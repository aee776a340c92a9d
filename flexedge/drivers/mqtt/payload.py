"""Numbers in messages: text or JSON from anybody, and the text that commands are. Pure."""

import json
import math
import re
from collections.abc import Sequence

from flexedge.config.profile import MqttWrite
from flexedge.domain.units import parse_unit

_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", re.ASCII)


class NotJson(ValueError):
    """The payload should be JSON and is not."""


def raw_number(payload: bytes, path: Sequence[str | int]) -> float | None:
    """The number in a payload, or at ``path`` in its JSON; None where there is none.

    Text that is a number counts as one, true as 1 and false as 0. May be infinite (1e400).
    Raises ``NotJson`` only.
    """
    try:
        found = json.loads(payload.decode())
    except (ValueError, RecursionError) as error:
        if path:
            raise NotJson("should be JSON") from error
        found = payload.decode(errors="replace")
    for step in path:
        found = _inside(found, step)
    if isinstance(found, str):
        return float(found) if _NUMBER.fullmatch(found) else None
    return _float(found) if isinstance(found, int | float) else None


def _inside(found: object, step: str | int) -> object:
    if isinstance(found, list) and isinstance(step, int):
        return found[step] if -len(found) <= step < len(found) else None
    return found.get(str(step)) if isinstance(found, dict) else None


def _float(found: float) -> float:
    try:
        return float(found)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf


def text(write: MqttWrite, number: float | str) -> str:
    """The payload of a command. Setpoints are rounded to whole W, A or %; kW to the watt."""
    if isinstance(number, str):
        return number
    if write.setpoint is not None:
        unit = parse_unit(write.setpoint.unit)
        per_watt = unit.factor / 1e-3 if unit.dimension == "power" else 1.0
        number = round(number, max(0, round(math.log10(per_watt))))
    return str(int(number)) if number == int(number) else str(number)
