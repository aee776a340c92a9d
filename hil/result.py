"""``python -m hil.result FILE``: whether the result of ``flexedge demo --json`` is what it must be.

Exit code 1, and a line for each promise that was broken, where it is not.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_FULL_DAYS = 1.9
"""From here on a run tells what the gateway saves; before, it says little about money."""
_PROMISES: tuple[tuple[str, Callable[[Mapping[str, Any]], bool]], ...] = (
    ("errors: 0", lambda result: result["errors"] == 0),
    ("site_limit_exceeded_s: 0", lambda result: result["site_limit_exceeded_s"] == 0),
    ("energy_balance_error: at most 0.02", lambda result: result["energy_balance_error"] <= 0.02),
    ("released: every control point", lambda result: result["released"] is True),
    ("setpoints: written and verified", lambda result: result["setpoints"]["verified"] > 0),
    ("plans: none infeasible", lambda result: result["plans"]["infeasible"] == 0),
    (
        "cost: at least 10 % below cost_unmanaged (from two days on)",
        lambda result: result["days"] < _FULL_DAYS or result["saving"] >= 0.10,
    ),
)


def broken(result: Mapping[str, Any]) -> list[str]:
    """The promises that this result breaks."""
    return [promise for promise, holds in _PROMISES if not holds(result)]


def main(path: Path) -> int:
    """Show the result and what is wrong with it."""
    result = json.loads(path.read_text(encoding="utf-8"))
    lines = [f"{name}: {value}" for name, value in result.items()]
    lines += [f"BROKEN {promise}" for promise in broken(result)]
    sys.stdout.write("\n".join([*lines, ""]))
    return 1 if broken(result) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
