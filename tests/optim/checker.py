"""An independent checker of plans: it shares nothing with flexedge but the file format.

It reads a problem (sensors, series, request) itself and judges an answer by its outputs alone:
which laws and limits are broken, and what the plan costs by FlexMeasures' names. Tolerances:
outputs are rounded to 6 decimals of their unit, so powers are compared within 2e-5 kW (or one
rounding, where the unit is coarser), states of charge within what such roundings can sum up to
over the window, and costs within ``Verdict.noise``.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.optim.checking import costs, further, limits
from tests.optim.checking.plan import plan
from tests.optim.checking.violation import Violation

COVERED = {
    "sensor", "asset", "commodity", "consumption", "production", "state-of-charge", "group",
    "soc-at-start", "soc-unit", "soc-min", "soc-max", "soc-minima", "soc-maxima", "soc-targets",
    "soc-gain", "soc-usage", "roundtrip-efficiency", "charging-efficiency",
    "discharging-efficiency", "storage-efficiency", "prefer-charging-sooner",
    "prefer-curtailing-later", "power-capacity", "consumption-capacity", "production-capacity",
    "operation-modes", "coupling", "coupling-coefficient", "inflexible-consumption",
    "inflexible-production",
}  # fmt: skip
"""Fields of a flex-model that are looked at; others are named in ``Verdict.uncovered``."""


@dataclass(frozen=True)
class Verdict:
    """What an answer is worth."""

    violations: tuple[Violation, ...]
    costs: dict[str, float]
    """By FlexMeasures' names."""
    uncovered: tuple[str, ...] = ()
    """Why this verdict is incomplete."""
    noise: dict[str, float] = field(default_factory=dict)
    """By how much roundings of outputs may have changed each cost."""
    soc: dict[str, list[float]] = field(default_factory=dict)

    @property
    def cost(self) -> float:
        """Without tie-breakers."""
        return sum(c for name, c in self.costs.items() if not name.startswith("prefer "))

    @property
    def objective(self) -> float:
        return sum(self.costs.values())

    @property
    def laws(self) -> tuple[Violation, ...]:
        """Broken physics and bookkeeping: no plan may have any, whatever was asked."""
        return tuple(one for one in self.violations if one.law)

    def differs(self, told: dict[str, float]) -> dict[str, tuple[float, float]]:
        """Costs (mine, told) that differ by more than 1e-5 and roundings, or lack a name."""
        names = self.costs.keys() | told.keys()
        pairs = {name: (self.costs.get(name, np.nan), told.get(name, np.nan)) for name in names}
        return {
            name: (mine, theirs) for name, (mine, theirs) in pairs.items()
            if not abs(mine - theirs) <= max(1e-5 * abs(theirs), 2e-6) + self.noise.get(name, 0.0)
        }  # fmt: skip

    def __str__(self) -> str:
        return "; ".join(str(one) for one in self.violations) or "feasible"


def check(case: dict[str, Any], answer: dict[str, Any], *, compat: bool = False) -> Verdict:
    """Judge an answer; ``compat``: with FlexMeasures' penalties, which depend on the resolution."""
    if not answer["outputs"]:
        missing = Violation("the outputs: their presence", 0, float("nan"), law=True)
        return Verdict((missing,), {})
    found = plan(case, answer)
    charged = costs.bill(found, compat=compat)
    violations = [
        *(Violation(text, 0, float("nan"), law=True) for text in found.read.wrong),
        *limits.of_devices(found),
        *limits.of_sites(found),
        *limits.of_stocks(found),
        *limits.of_books(found),
        *further.forbidden(found),
    ]
    return Verdict(
        tuple(violations),
        dict(charged.costs),
        (*found.read.uncovered, *_uncovered(case)),
        dict(charged.noise),
        {stock.name: stock.path.tolist() for stock in found.stocks},
    )


def _uncovered(case: dict[str, Any]) -> list[str]:
    raw = case["request"].get("flex-model", [])
    models = raw if isinstance(raw, list) else [raw]
    return sorted(
        {f"flex-model {key}" for model in models for key in model.keys() - COVERED - further.FIELDS}
    )
