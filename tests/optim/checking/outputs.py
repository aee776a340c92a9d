"""The outputs of an answer, read back onto the steps of its schedule."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.optim.checking.amounts import span, unit
from tests.optim.checking.devices import Cast, Device, Model
from tests.optim.checking.timeline import Floats, Timeline, moment

KW = 2e-5
"""Outputs are rounded to 6 decimals of their own unit (kW or kWh; MW: see ``grain``)."""


@dataclass
class Read:
    """Powers by device (consumption positive), and what was wrong with the outputs."""

    power: dict[int, Floats] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)


def grain(answer: dict[str, Any], name: str) -> float:
    """Half a unit in the sixth decimal of an output, in kW or kWh."""
    return 0.5e-6 * unit(answer["outputs"][name]["unit"])[0]


def profile(line: Timeline, answer: dict[str, Any], name: str) -> Floats:
    """One output of power on our steps, consumption positive. Raises KeyError without it."""
    told = answer["outputs"][name]
    factor, kind = unit(told["unit"])
    values = np.array([np.nan if v is None else float(v) for v in told["values"]]) * factor
    step = span(told["resolution"])
    if kind == "energy":
        values = values / (step.total_seconds() / 3600)
    sign = -1.0 if told.get("sign") == "production-positive" else 1.0
    return sign * line.averaged(moment(told["start"]), step, values)


def places(model: Model, prefix: str = "") -> list[tuple[str, str]]:
    """(sensor, part) of what is written about something: all of it, or one side."""
    up, down = model.get(f"{prefix}consumption"), model.get(f"{prefix}production")
    found = [(up["sensor"], "up" if down else "all")] if up else []
    if down:
        found.append((down["sensor"], "down" if up else "all"))
    if not prefix and isinstance(model.get("sensor"), str):
        found.insert(0, (model["sensor"], "all"))
    return found


def part_of(total: Floats, part: str) -> Floats:
    if part == "all":
        return total
    return np.maximum(total, 0.0) if part == "up" else np.minimum(total, 0.0)


def read(line: Timeline, cast: Cast, answer: dict[str, Any]) -> Read:
    """Powers of all devices; of those with two outputs the sum of both."""
    found = Read()
    for device in cast.devices:
        if device.fixed is not None:
            found.power[device.index] = device.fixed
            continue
        found.power[device.index] = _of(line, device, answer, found)
    return found


def _of(line: Timeline, device: Device, answer: dict[str, Any], found: Read) -> Floats:
    told = places(device.model)
    missing = [name for name, _ in told if name not in answer["outputs"]]
    if missing or not told:
        found.wrong.append(f"{device.name}: no output {', '.join(missing) or 'at all'}")
        return np.zeros(line.n)
    for name, _ in told:
        if span(answer["outputs"][name]["resolution"]) > line.step:
            found.uncovered.append(f"output {name} is coarser than the schedule")
    whole = next((name for name, part in told if part == "all"), None)
    if whole is not None:
        power = profile(line, answer, whole)
    else:
        power = np.asarray(sum(profile(line, answer, name) for name, _ in told))
    if np.isnan(power).any():
        found.wrong.append(f"{device.name}: {int(np.isnan(power).sum())} steps without a value")
        power = np.nan_to_num(power)
    return power
