"""Many random requests: ``python -m tests.optim.fuzz 10000``. A plan or a clear error for each."""

import sys
import time
import traceback
from collections import Counter
from datetime import timedelta

from flexedge.errors import BadField, PlanError
from flexedge.optim.request.solve import solve_file
from tests.optim.contradictions import contradictory
from tests.optim.requests import absurd, sensible, wrong_with

SECONDS = 2.0


def main(count: int, first: int = 0) -> int:
    """Solve them; 1 if any of them fails with a traceback, a wrong plan, or too late."""
    seen: Counter[str] = Counter()
    slowest = 0.0
    for seed in range(first, first + count):
        made = (sensible, absurd, contradictory)[seed % 3]
        case = made(seed)
        began = time.perf_counter()
        try:
            answer = solve_file(case, timedelta(seconds=SECONDS), explain=seed % 10 == 0)
        except BadField:
            outcome = "bad field"
        except PlanError as error:
            outcome = type(error).__name__
            print(f"seed {seed}: {error}")
        except Exception:  # noqa: BLE001 - that is what is looked for
            outcome = "TRACEBACK"
            print(f"seed {seed}")
            traceback.print_exc(limit=-3)
        else:
            outcome = f"plan, {answer['status']}"
            wrong = wrong_with(case, answer) if made is not absurd else []
            if wrong:
                outcome = "WRONG"
                print(f"seed {seed}: {wrong}")
        took = time.perf_counter() - began
        slowest = max(slowest, took)
        if took > SECONDS + 1.0:
            outcome = "LATE"
            print(f"seed {seed}: {took:.1f} s")
        seen[outcome] += 1
    print(dict(seen), f"slowest {slowest:.2f} s")
    return int(any(name.isupper() for name in seen))


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:])))
