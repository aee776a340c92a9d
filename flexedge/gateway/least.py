"""Powers a device cannot do: a charger below its least current. Round them and solve once more.

A heuristic until the optimisation itself knows semi-continuous power: the energy in steps between
zero and the least power is put into as few of them as can hold it, and the rest planned around it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.errors import PlanError
from flexedge.optim.device import Device
from flexedge.optim.problem import Problem
from flexedge.optim.solution import Solution
from flexedge.optim.solve import solve

_ROUNDS = 3
_NOTHING_KW = 1e-6


def solve_in_steps(
    problem: Problem,
    least_kw: Mapping[str, FloatArray],
    time_limit: timedelta,
    after: Solution | None = None,
) -> Solution:
    """Solve so that devices in ``least_kw`` (least power above zero, per step) do it or nothing.

    A few steps may remain in between; dispatch rounds those. Raises ``PlanError`` where there is
    no plan at all; one that only rounding made impossible is not rounded.
    """
    solution = solve(problem, time_limit, after)
    for _ in range(_ROUNDS):
        rounded = replace(
            problem,
            devices=tuple(
                _rounded(device, solution.power_kw[device.name], least_kw[device.name])
                if device.name in least_kw
                else device
                for device in problem.devices
            ),
        )
        if all(new is old for new, old in zip(rounded.devices, problem.devices, strict=True)):
            break
        try:
            solution = solve(rounded, time_limit, solution)
        except PlanError:
            break
        problem = rounded
    return solution


def _rounded(device: Device, power_kw: FloatArray, least_kw: FloatArray) -> Device:
    """The device with every step that is in between bound to nothing or to the least.

    The fullest steps (the first of equals) take what all of them together were to have.
    """
    between = (power_kw > _NOTHING_KW) & (power_kw < least_kw - _NOTHING_KW)
    between &= least_kw <= device.max_kw
    if not between.any():
        return device
    candidates = np.flatnonzero(between)
    fullest = candidates[np.argsort(-power_kw[candidates] / least_kw[candidates], kind="stable")]
    held_kw = np.concatenate(([0.0], np.cumsum(least_kw[fullest])))
    enough = int(np.searchsorted(held_kw, power_kw[between].sum() - _NOTHING_KW))
    up = np.zeros_like(between)
    up[fullest[:enough]] = True
    return replace(
        device,
        min_kw=np.where(up, least_kw, device.min_kw),
        max_kw=np.where(between & ~up, 0.0, device.max_kw),
    )
