"""flexedge solve FILE."""

import argparse
import json
import sys
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from flexedge.cli.output import aside, print_json
from flexedge.errors import BadField, Infeasible, PlanError, SolverGaveUp
from flexedge.optim.request.solve import solve_file

_WRONG = 2


def run(options: argparse.Namespace) -> int:
    """Print the answer, or what is wrong with the problem; both as JSON."""
    began = perf_counter()
    try:
        if not 0 < options.time_limit < float("inf"):
            raise BadField("--time-limit", "should be a number of seconds above 0")
        problem = _read(options.file)
        with aside():
            answer = solve_file(
                problem,
                timedelta(seconds=options.time_limit),
                compat=options.compat,
                explain=not options.no_explanation,
            )
    except PlanError as error:
        print_json({"error": _told(error)})
        return _WRONG
    answer["solver"]["total-seconds"] = perf_counter() - began
    print_json(answer)
    return 0


def _read(file: str) -> Any:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise BadField(file, f"cannot be read: {error.strerror or error}") from error
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadField(file, f"is not UTF-8: {error.reason} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise BadField(file, f"is not JSON: {error}") from error


def _told(error: PlanError) -> dict[str, Any]:
    """What went wrong, with the field or the limits at fault."""
    match error:
        case BadField():
            return {"type": "bad-field", "path": error.path, "message": error.message}
        case Infeasible():
            culprits = list(error.culprits)
            return {"type": "infeasible", "path": culprits[0] if culprits else "request",
                    "message": str(error), "culprits": culprits}  # fmt: skip
        case SolverGaveUp():
            return {"type": "gave-up", "path": "request", "message": str(error)}
    return {"type": "error", "path": "request", "message": str(error)}
