"""``python -m bench [NAME ...] [--quick]``: print how fast we are, as ratios."""

import argparse
import sys
from collections.abc import Callable, Iterator

from bench import api, history, hostile, lockstep, optim, plan, poll, start, store, sync
from bench.measure import Row, machine, table_line

_BENCHES: dict[str, Callable[..., Iterator[Row]]] = {
    "plan": plan.rows,
    "optim": optim.rows,
    "poll": poll.rows,
    "store": store.rows,
    "sync": sync.rows,
    "history": history.rows,
    "start": start.rows,
    "lockstep": lockstep.rows,
    "api": api.rows,
    "hostile": hostile.rows,
}
_HEAD = ("what", "ours", "the other", "ratio (spread)", "bound")


def main() -> int:
    """Run the benches that are named, or all. Exit code 1 where a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(_BENCHES)}")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: whether it runs, not how fast"
    )
    options = parser.parse_args()
    unknown = set(options.names) - set(_BENCHES)
    if unknown:
        parser.error(f"no bench {', '.join(sorted(unknown))}")
    print(
        f"# {', '.join(machine())}; medians; in brackets and behind ± the middle half", flush=True
    )
    print(table_line(_HEAD), flush=True)
    missed = False
    for name in options.names or _BENCHES:
        for row in _BENCHES[name](quick=options.quick):
            print(row.text(), flush=True)
            missed |= row.missed
    return 1 if missed and not options.quick else 0


if __name__ == "__main__":
    sys.exit(main())
