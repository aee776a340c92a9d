"""What binds a plan and what it is worth: numbers for engineers, step by step."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim.device import Device
from flexedge.optim.problem import Problem
from flexedge.optim.reference import Reference, references
from flexedge.optim.solution import Solution

_KW = 1e-3  # less power than this is none
_MONEY = 1e-6  # per kWh


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit that binds in a step."""

    limit: str
    price: float
    """Money that easing the limit by one unit, in this step alone, would save."""
    unit: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """The best of the times at which a device idles to draw (or give) the same kWh instead."""

    device: str
    start: datetime
    extra_cost: float
    """Money per kWh that is moved there, at least."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of the plan: what energy is worth then, what binds, what would be next best."""

    start: datetime
    energy_value: float
    """Money for one more kWh consumed on site."""
    bounds: tuple[Bound, ...]
    alternatives: tuple[Alternative, ...]

    def sentence(self, currency: str) -> str:
        """The step in words."""
        words = f"one more kWh costs {self.energy_value:.4f} {currency}"
        if self.bounds:
            words += "; binding: " + ", ".join(
                f"{bound.limit} (easing it by 1 {bound.unit} saves {bound.price:.4f} {currency})"
                for bound in self.bounds
            )
        for other in self.alternatives:
            words += (
                f"; the next best time for the {other.device} is {other.start.isoformat()}, for"
                f" at least {other.extra_cost:.4f} {currency}/kWh more"
            )
        return words


@dataclass(frozen=True, slots=True)
class Reasons:
    """A whole plan explained."""

    steps: tuple[Reason, ...]
    references: tuple[Reference, ...]


def reasons(problem: Problem, solution: Solution) -> Reasons:
    """Explain each step of a plan."""
    moments = problem.grid.times()
    better = {device.name: _next_best(problem, solution, device) for device in problem.devices}
    return Reasons(
        tuple(
            Reason(
                moment,
                float(solution.energy_value[j]),
                tuple(
                    Bound(binding.limit, float(binding.price[j]), binding.unit)
                    for binding in solution.bindings
                    if binding.price[j] > _MONEY
                ),
                tuple(_alternatives(problem, better, moments, j)),
            )
            for j, moment in enumerate(moments)
        ),
        references(problem),
    )


_Best = tuple[FloatArray, FloatArray]
"""For each step the step that would be next best (-1: none), and the extra cost per kWh."""


def _alternatives(
    problem: Problem, better: dict[str, _Best], moments: list[datetime], j: int
) -> Iterator[Alternative]:
    for device in problem.devices:
        step, extra = better[device.name]
        if step[j] >= 0:
            yield Alternative(device.name, moments[int(step[j])], float(extra[j]))


def _next_best(problem: Problem, solution: Solution, device: Device) -> _Best:
    """Where a storage could draw (or give) a kWh instead: the cheapest of the idle steps.

    What that costs is what the shadow prices of its power tell: never more than it does, and at a
    corner of the plan perhaps less. Of equal steps that of the nearest energy price is taken.
    """
    n = problem.grid.n
    step, extra = np.full(n, -1.0), np.zeros(n)
    if device.storage is None:
        return step, extra
    power = solution.power_kw[device.name]
    worth = solution.energy_value if device.commodity == solution.site else np.zeros(n)
    drawing, giving = solution.moving_cost[device.name]
    for flow, most, cost, price in (
        (power, device.max_kw, drawing, worth),
        (-power, -device.min_kw, giving, -worth),
    ):
        idle = np.flatnonzero((most > _KW) & (np.abs(power) <= _KW))
        active = np.flatnonzero(flow > _KW)
        if not active.size or not idle.size:
            continue
        least = float(cost[idle].min())
        equal = idle[cost[idle] <= least + _MONEY]
        best = equal[int(np.argmin(price[equal]))]
        step[active] = best
        extra[active] = np.maximum(least - cost[active], 0.0)
    return step, extra
