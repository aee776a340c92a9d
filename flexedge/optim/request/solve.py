"""A problem file in, an answer out: what ``flexedge solve`` does."""

from datetime import timedelta
from typing import Any

from flexedge.optim.request import site
from flexedge.optim.request.answer import answer
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.task import task
from flexedge.optim.solve import solve

_FILE = ("sensors", "series", "assets", "level", "scheduling-resolution", "request", "sensor",
         "asset")  # fmt: skip


def solve_file(
    data: Any, time_limit: timedelta, *, compat: str | None = None, explain: bool = True
) -> dict[str, Any]:
    """Solve a self-contained problem. Raises ``BadField``, ``Infeasible`` or ``SolverGaveUp``.

    Only what the format asks for is read; results that stand beside it are not.
    """
    whole = Fields(data, "")
    if not whole.has("request"):
        whole.fail("request", "is missing: a problem needs sensors, series and a request")
    whole = Fields({key: whole.data[key] for key in _FILE if key in whole.data}, "")
    done = task(whole)
    if done is not None:
        return done
    asked = site.read(whole, compat)
    return answer(asked, solve(asked.problem, time_limit), explain=explain)
