"""Several futures in one program: they share the first step and are weighed by their risk."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim.market import Scenario
from flexedge.optim.placed import Placed
from flexedge.optim.problem import Problem
from flexedge.optim.program import Block, LinearProgram

OWN = "forecast"
"""What the problem's own future is called."""
_LEAST_EXPECTED = 1e-3  # some weight stays on the expected cost, so that each future is planned


@dataclass(frozen=True, slots=True)
class Future:
    """One of several futures: how likely it is, and what it costs with the common first step."""

    name: str
    probability: float
    cost: float
    """Commitments and penalties, without tie-breakers."""


def instead(problem: Problem, scenario: Scenario) -> Problem:
    """The problem if the scenario comes true."""
    market = replace(
        problem.site,
        inflexible_kw=scenario.inflexible_kw,
        import_price=scenario.import_price,
        export_price=scenario.export_price,
    )
    more_kw = scenario.inflexible_kw - problem.site.inflexible_kw
    commitments = tuple(
        replace(one, fixed_kw=one.fixed_kw + more_kw) if one.of_site else one
        for one in problem.commitments
    )
    markets = (market, *problem.markets[1:])
    return replace(problem, markets=markets, commitments=commitments, scenarios=())


def share_first_step(
    program: LinearProgram, devices: Sequence[Placed], others: Sequence[Placed]
) -> None:
    """Give the same devices the same power in the first step of two futures."""
    for one, other in zip(devices, others, strict=True):
        parts: list[tuple[Block, FloatArray | float]] = [
            (Block(t.block.name, t.block.start, 1), sign * float(t.coefficient))
            for placed, sign in ((one, 1.0), (other, -1.0))
            for t in placed.power
        ]
        program.add_total(f"{one.device.name} first step", (0.0, 0.0), parts)


def weigh(
    program: LinearProgram,
    own: Sequence[Block],
    others: Sequence[tuple[float, Sequence[Block]]],
    risk_weight: float,
) -> Block | None:
    """Minimise what is expected to be paid and what the worst future costs.

    All is scaled so that the costs of the program's own future stay as they are. Returns the row
    that holds the worst cost above the own one.
    """
    expected = max(1.0 - risk_weight, _LEAST_EXPECTED)
    probability = 1.0 - sum(share for share, _ in others)
    rows = []
    if risk_weight > 0:
        price = risk_weight / (expected * probability)
        worst = program.add_columns("worst future", 1, (-math.inf, math.inf), price)
        for blocks in (own, *(blocks for _, blocks in others)):
            costs = [(block, program.costs(block)) for block in blocks]
            parts = [(block, cost) for block, cost in costs if np.any(cost)]
            row = program.add_total("worst future", (-math.inf, 0.0), [*parts, (worst, -1.0)])
            rows.append(row)
    for share, blocks in others:
        for block in blocks:
            program.set_costs(block, program.costs(block) * (share / probability))
    return rows[0] if rows else None


def weight(worst: Block | None, row_dual: FloatArray) -> float:
    """How much the costs of the own future count in the objective: more where it is the worst."""
    return 1.0 if worst is None else 1.0 + abs(float(worst.of(row_dual)[0]))
