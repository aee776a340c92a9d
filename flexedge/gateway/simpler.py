"""A problem that has a plan much sooner: most of what needs whole numbers is decided beforehand.

For when the solver finds no plan within its time. Processes run where their hours cost least,
whatever else happens; starts cost nothing, what goes on may go off at once, and efficiencies are
those at full power. Powers that a device does not have stay out: it shall be able to do the plan.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim.device import Device, Process, per_step
from flexedge.optim.problem import Problem
from flexedge.optim.process import place


def simpler(problem: Problem, owners: Mapping[str, str]) -> Problem:
    """The same problem without integer columns; tasks of one owner do not overlap."""
    taken: dict[str, FloatArray] = {}
    devices = []
    for device in problem.devices:
        if device.process is not None:
            busy = taken.setdefault(owners[device.name], np.zeros(problem.grid.n))
            device = _fixed(device, device.process, problem.site.import_price, busy)  # noqa: PLW2901
        devices.append(_easy(replace(device, running=None)))
    return replace(problem, devices=tuple(devices))


def _easy(device: Device) -> Device:
    """The device with one efficiency."""
    curve = device.part_load
    if curve is None:
        return device
    return replace(device, part_load=None, charging_efficiency=curve.y[-1] / curve.x[-1])


def _fixed(device: Device, process: Process, price: FloatArray, busy: FloatArray) -> Device:
    """A task with its hours; ``busy`` is where its machine runs already, and is added to."""
    running = np.zeros(len(price), dtype=np.bool_)
    for _ in range(process.runs):
        free = process.allowed & ~running & (busy == 0)
        chosen = place(process.kind, process.slots, price, free)
        if chosen is not None:
            running |= chosen
    busy += running
    power = np.where(running, process.power_kw, 0.0) * per_step(device.share, len(price))
    return replace(device, min_kw=power, max_kw=power, process=None)
