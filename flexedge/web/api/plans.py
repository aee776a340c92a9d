"""Plans: what the accounts that are on them may use."""

from dataclasses import asdict, replace
from typing import Any, Final

from flexedge.store.tables.accounts import Plan
from flexedge.web.api.desk import ROOT, Desk
from flexedge.web.api.op import Call, Op, Rejected, Reply, invalid
from flexedge.wire.accounts import ChangedPlan, NewPlan, PlanTold

_TAG: Final = "Plans"
_LARGEST_DIGITS: Final = 18


def operations(desk: Desk) -> tuple[Op, ...]:
    """The operations."""
    plans = desk.state.plans

    def listed(_call: Call[None, None]) -> Reply:
        return Reply([PlanTold(id=number, **asdict(plan)) for number, plan in plans.all().items()])

    def made(call: Call[None, NewPlan]) -> Reply:
        with desk.access.changing:
            plan = Plan(**call.body.model_dump())
            _demand_new_name(desk, plan.name)
            number = plans.add(plan)
            desk.note(call.caller, f"Plan {plan.name} created")
        return Reply(PlanTold(id=number, **asdict(plan)), 201)

    def changed(call: Call[None, ChangedPlan]) -> Reply:
        with desk.access.changing:
            number, plan = _found(desk, call.path["number"])
            given: dict[str, Any] = {
                name: getattr(call.body, name) for name in call.body.model_fields_set
            }
            if given.get("name", plan.name) != plan.name:
                _demand_new_name(desk, given["name"])
            plan = replace(plan, **given)
            plans.change(number, plan)
            desk.note(call.caller, f"Plan {plan.name} updated, fields: {', '.join(sorted(given))}")
        return Reply(PlanTold(id=number, **asdict(plan)))

    return (
        Op(
            method="GET", path=f"{ROOT}/plans", run=listed, tag=_TAG, who="admin",
            summary="List the plans", answers={200: list[PlanTold]},
        ),
        Op(
            method="POST", path=f"{ROOT}/plans", run=made, tag=_TAG, who="admin", scope="manage",
            summary="Make a plan", body=NewPlan, answers={201: PlanTold},
        ),
        Op(
            method="PATCH", path=f"{ROOT}/plans/{{number}}", run=changed, tag=_TAG, who="admin",
            scope="manage", summary="Change a plan", body=ChangedPlan, answers={200: PlanTold},
        ),
    )  # fmt: skip


def _found(desk: Desk, text: str) -> tuple[int, Plan]:
    known = text.isascii() and text.isdecimal() and len(text) <= _LARGEST_DIGITS
    plan = desk.state.plans.get(int(text)) if known else None
    if plan is None:
        raise Rejected(404, "NOT_FOUND", f"Plan {text[:40]} not found")
    return int(text), plan


def _demand_new_name(desk: Desk, name: str) -> None:
    if desk.state.plans.find(name=name):
        invalid({"name": [f"A plan with name '{name}' already exists."]})
