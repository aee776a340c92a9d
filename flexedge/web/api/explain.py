"""The plan in force: what each asset shall do, what binds, and what it is worth."""

from flexedge.web.api.gateway import ROOT, TAG, site
from flexedge.web.api.op import Call, Op, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.gateway import PlanTold


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations of this module."""

    def plan(call: Call[object, None]) -> Reply:
        return Reply(site(parts, call.caller).plan())

    return (
        Op(method="GET", path=f"{ROOT}/plan", run=plan, tag=TAG, answers={200: PlanTold},
           summary="The plan in force, and why it is as it is"),
    )  # fmt: skip
