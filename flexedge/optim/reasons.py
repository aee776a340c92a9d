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
    """A limit that binds in a step, and what one more unit of it would save."""

    limit: str
    price: float
    unit: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """When a device could do the same kWh next best, and what that would cost more."""

    device: str
    start: datetime
    extra_cost: float
    """Money per kWh moved to there."""


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
                f"{bound.limit} (one {bound.unit} more saves {bound.price:.4f} {currency})"
                for bound in self.bounds
            )
        for other in self.alternatives:
            words += (
                f"; {other.device} could do the same at {other.start.isoformat()}"
                f" for {other.extra_cost:.4f} {currency}/kWh more"
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
    """Where a storage could draw (or give) a kWh instead: the cheapest step with room."""
    n = problem.grid.n
    step, extra = np.full(n, -1.0), np.zeros(n)
    if device.storage is None or device.commodity != solution.site:
        return step, extra
    power, value = solution.power_kw[device.name], solution.energy_value
    for sign, room, flow in (
        (1.0, device.max_kw - np.maximum(power, 0.0), power),
        (-1.0, np.minimum(power, 0.0) - device.min_kw, -power),
    ):
        price = np.where((room > _KW) & (flow <= _KW), sign * value, np.inf)
        active = np.flatnonzero(flow > _KW)
        if not active.size or not np.isfinite(price).any():
            continue
        best = int(np.argmin(price))
        step[active] = best
        extra[active] = np.maximum(price[best] - sign * value[active], 0.0)
    return step, extra
