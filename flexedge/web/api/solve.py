"""Plans of problems that bring all their data along: nothing is read, nothing kept."""

import threading
from datetime import timedelta
from typing import Any, Final

from flexedge.errors import BadField, PlanError
from flexedge.gateway.service.refusals import told as refusal
from flexedge.gateway.service.schedules import MOST
from flexedge.optim.request.solve import solve_file
from flexedge.web.api.op import Call, Op, Rejected, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.schedules import HowToSolve, Solved, SolveFile

_MOST_BYTES: Final = 2 * 1024 * 1024
_MOST_WAITING: Final = 4
_RETRY_S: Final = 5


def operations(parts: Parts) -> tuple[Op, ...]:  # noqa: ARG001 (nothing of it is needed)
    """Solving one problem."""
    waiting, turn = threading.BoundedSemaphore(_MOST_WAITING), threading.Lock()

    def solve(call: Call[HowToSolve, SolveFile]) -> Reply:
        if not waiting.acquire(blocking=False):
            raise Rejected(
                503, "SERVICE_UNAVAILABLE", "Too many problems wait to be solved. Try again.",
                {"Retry-After": str(_RETRY_S)},
            )  # fmt: skip
        try:
            with turn:
                return Reply(_answer(call))
        finally:
            waiting.release()

    return (
        Op(method="POST", path="/api/v3_0/schedules/solve", run=solve,
           summary="Solve a problem that brings all its data along", tag="Schedules", scope="plan",
           query=HowToSolve, body=SolveFile, answers={200: Solved}, most_bytes=_MOST_BYTES,
           description="What `flexedge solve` does: nothing is read of this gateway, nothing is "
           "kept. One at a time; a few may wait."),
    )  # fmt: skip


def _answer(call: Call[HowToSolve, SolveFile]) -> dict[str, Any]:
    how, problem = call.query, call.body.model_dump(by_alias=True, exclude_none=True)
    limit = timedelta(seconds=how.time_limit)
    try:
        return solve_file(problem, limit, compat=how.compat, explain=how.explain, most=MOST)
    except BadField as error:
        raise Rejected(422, "UNPROCESSABLE_ENTITY", refusal(error)) from error
    except PlanError as error:
        raise Rejected(422, "UNPROCESSABLE_ENTITY", {"json": [str(error)]}) from error
