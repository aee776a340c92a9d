"""The plan in force as numbers with their reasons: step by step, what binds, what it is worth."""

import math
import threading

from flexedge.domain.series import Series
from flexedge.gateway.plan import Plan
from flexedge.gateway.plant import Plant
from flexedge.gateway.view import Rung
from flexedge.optim.reasons import Reason, reasons
from flexedge.optim.reference import net_cost
from flexedge.wire.gateway import AlternativeTold, BindingTold, PlanTold, StepTold


class Explained:
    """Explains a plan once, however often it is asked for. Safe to use from any thread."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._lock = threading.Lock()
        self._last: tuple[Plan, PlanTold] | None = None

    def told(self, rung: Rung, plan: Plan | None, trouble: str) -> PlanTold:
        """What the plan is and why; without one, what is done instead."""
        if plan is None:
            return _without(rung, trouble or "no plan yet", self._plant.currency)
        with self._lock:
            if self._last is None or self._last[0] is not plan:
                self._last = plan, self._explain(plan)
            told = self._last[1]
        return told.model_copy(update={"rung": rung, "status": trouble or plan.status})

    def _explain(self, plan: Plan) -> PlanTold:
        found = reasons(plan.problem, plan.solution)
        simple = {one.name: one.cost for one in found.references}
        return PlanTold(
            rung="fresh-plan",
            status=plan.status,
            made_at=plan.made_at,
            valid_until=plan.valid_until,
            seconds=plan.seconds,
            currency=self._plant.currency,
            resolution_s=plan.grid_kw.grid.resolution.total_seconds(),
            cost=plan.cost,
            headline=plan.headline,
            why=dict(plan.why),
            breaches=plan.breaches,
            versus={"plan": net_cost(plan.problem, plan.solution.grid_kw)} | simple,
            steps=tuple(self._step(plan, j, one) for j, one in enumerate(found.steps)),
        )

    def _step(self, plan: Plan, j: int, reason: Reason) -> StepTold:
        return StepTold(
            start=reason.start,
            import_price=_at(plan.import_price, j),
            export_price=_at(plan.export_price, j),
            grid_kw=_at(plan.grid_kw, j),
            power_kw={name: _at(one.power_kw, j) for name, one in plan.schedules.items()},
            soc_kwh={
                name: _at(one.soc_kwh, j)
                for name, one in plan.schedules.items()
                if one.soc_kwh is not None
            },
            energy_value=reason.energy_value,
            binding=tuple(
                BindingTold(limit=bound.limit, shadow_price=bound.price, per=bound.unit)
                for bound in reason.bounds
            ),
            alternatives=tuple(
                AlternativeTold(device=one.device, start=one.start, extra_cost=one.extra_cost)
                for one in reason.alternatives
            ),
            text=reason.sentence(self._plant.currency, self._plant.zone),
        )


def _without(rung: Rung, status: str, currency: str) -> PlanTold:
    return PlanTold(
        rung=rung, status=status, made_at=None, valid_until=None, seconds=None, currency=currency,
        resolution_s=None, cost=None, headline="", why={}, breaches=(), versus={}, steps=(),
    )  # fmt: skip


def _at(series: Series, j: int) -> float | None:
    value = float(series.values[j])
    return round(value, 6) if math.isfinite(value) else None
