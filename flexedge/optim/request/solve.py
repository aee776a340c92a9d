"""A problem file in, an answer out: what ``flexedge solve`` does."""

from datetime import timedelta
from time import perf_counter
from typing import Any

from flexedge.errors import Infeasible
from flexedge.optim.request import site
from flexedge.optim.request.answer import answer
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.places import place
from flexedge.optim.request.source import FileSource
from flexedge.optim.request.task import task
from flexedge.optim.sequence import one_by_one
from flexedge.optim.solve import solve

_FILE = ("sensors", "series", "assets", "level", "scheduling-resolution", "request", "sensor",
         "asset")  # fmt: skip


def solve_file(
    data: Any,
    time_limit: timedelta,
    *,
    compat: str | None = None,
    explain: bool = True,
    most: int | None = None,
) -> dict[str, Any]:
    """Solve a self-contained problem. Raises ``BadField``, ``Infeasible`` or ``SolverGaveUp``.

    Only what the format asks for is read; results that stand beside it are not. ``most``: devices x
    steps that may be asked for.
    """
    began = perf_counter()
    whole = Fields(data, "")
    if not whole.has("request"):
        whole.fail("request", "is missing: a problem needs sensors, series and a request")
    whole = Fields({key: whole.data[key] for key in _FILE if key in whole.data}, "")
    request = whole.object("request")
    told = task(whole, request, FileSource(whole), explain=explain)
    if told is None:
        asked = site.read(whole, compat)
        if most is not None:
            site.demand_size(asked, most)
        told = _planned(asked, time_limit, explain=explain)
    told["solver"]["total-seconds"] = perf_counter() - began
    return told


def _planned(asked: site.Asked, time_limit: timedelta, *, explain: bool) -> dict[str, Any]:
    plan = one_by_one if asked.sequential else solve
    try:
        return answer(asked, plan(asked.problem, time_limit), explain=explain)
    except Infeasible as error:
        raise Infeasible([place(asked.places, one) for one in error.culprits]) from error
