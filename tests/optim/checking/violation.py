"""What is broken in a plan, and by how much."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tests.optim.checking.timeline import Floats


@dataclass(frozen=True)
class Violation:
    """What is broken, where first, and by how much at most (kW or kWh)."""

    what: str
    step: int
    by: float
    law: bool
    """Physics or bookkeeping; otherwise a limit that people set and an elastic plan may break."""

    def __str__(self) -> str:
        return f"{self.what} is broken by up to {self.by:.6g}, first in step {self.step}"


def broken(what: str, over: Floats, tolerance: float, *, law: bool) -> Iterator[Violation]:
    """A violation where ``over`` is above the tolerance anywhere."""
    bad = np.nan_to_num(over) > tolerance
    if bad.any():
        yield Violation(what, int(np.argmax(bad)), float(np.nanmax(over)), law)
