"""What binds a plan and what it is worth: numbers for engineers, step by step."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from flexedge.optim.alternatives import Swap, swaps
from flexedge.optim.problem import Problem
from flexedge.optim.reference import Reference, references
from flexedge.optim.solution import Solution

_MONEY = 1e-6  # per kWh
_WORTH_SAYING = 5e-5  # per kWh: less is 0.0000 in words


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
    """Money per kWh that is moved there, all else as it is."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of the plan: what energy is worth then, what binds, what would be next best."""

    start: datetime
    energy_value: float
    """Money for one more kWh consumed on site."""
    bounds: tuple[Bound, ...]
    alternatives: tuple[Alternative, ...]

    def sentence(self, currency: str, zone: tzinfo = UTC) -> str:
        """The step in words, with times by the clock of ``zone``."""
        words = f"one more kWh costs {self.energy_value:.4f} {currency}"
        if self.bounds:
            words += "; binding: " + ", ".join(
                f"{bound.limit} (easing it by 1 {bound.unit} saves {bound.price:.4f} {currency})"
                for bound in self.bounds
            )
        for other in self.alternatives:
            more = other.extra_cost >= _WORTH_SAYING
            extra = f"{other.extra_cost:.4f} {currency}/kWh more" if more else "no more"
            start = other.start.astimezone(zone).isoformat()
            words += f"; the {other.device} could do the same at {start} for {extra}"
        return words


@dataclass(frozen=True, slots=True)
class Reasons:
    """A whole plan explained."""

    steps: tuple[Reason, ...]
    references: tuple[Reference, ...]


def reasons(problem: Problem, solution: Solution) -> Reasons:
    """Explain each step of a plan."""
    moments = problem.grid.times()
    better = {
        device.name: {swap.step: swap for swap in swaps(problem, solution, device)}
        for device in problem.devices
    }
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


def _alternatives(
    problem: Problem, found: dict[str, dict[int, Swap]], moments: list[datetime], j: int
) -> Iterator[Alternative]:
    for device in problem.devices:
        swap = found[device.name].get(j)
        if swap is not None:
            yield Alternative(device.name, moments[swap.to], swap.extra_cost)
