"""All of it, one after another: ``python -m tests.torture [--part 0.1]``. Hours; see docs/store.md.

Every program can also be run on its own, and tells more then.
"""

import argparse
import subprocess
import sys

WHOLE = (
    ("explore", "--states", 20_000),
    ("cuts", "--cuts", 2_000),
    ("kills", "--kills", 10_000),
    ("rot", "--each", 1_000),
    ("faults", "--sample", 100_000),
)
"""Programs, and how much of it is the whole."""


def main() -> int:
    """How many of them found something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", type=float, default=1.0, help="of the whole")
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    failed = 0
    for program, word, whole in WHOLE:
        words = [word, str(max(1, round(whole * told.part))), "--seed", str(told.seed)]
        command = [sys.executable, "-m", f"tests.torture.{program}", *words]
        failed += bool(subprocess.run(command, check=False).returncode)
    return failed


if __name__ == "__main__":
    sys.exit(main())
