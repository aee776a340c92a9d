"""A request and an answer to it, side by side as numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.optim.checking import outputs
from tests.optim.checking.context import Context, context
from tests.optim.checking.devices import Cast, cast
from tests.optim.checking.stocks import Stock, stocks
from tests.optim.checking.timeline import Floats, Timeline, moment, timeline


@dataclass(frozen=True)
class Plan:
    """All that a verdict is made from."""

    line: Timeline
    cast: Cast
    context: Context
    read: outputs.Read
    stocks: tuple[Stock, ...]
    answer: dict[str, Any]
    grain: float
    """The rounding of one output, in kW or kWh."""
    kw: float
    """By how much powers may be off."""

    def flow(self, members: tuple[int, ...]) -> Floats:
        """The net power of some devices."""
        return np.asarray(sum((self.read.power[i] for i in members), np.zeros(self.line.n)))


def plan(case: dict[str, Any], answer: dict[str, Any]) -> Plan:
    told = answer["outputs"]
    around = context(case)
    line = timeline(case, _start(case, told))
    everyone = cast(case, line, around)
    found = outputs.read(line, everyone, answer)
    stores = stocks(line, everyone, around, found.power)
    grain = max(outputs.grain(answer, name) for name in told)
    return Plan(line, everyone, around, found, stores, answer, grain, max(outputs.KW, 5 * grain))


def _start(case: dict[str, Any], told: dict[str, Any]) -> Any:
    """The request's start, or the tick before it when the answer's steps are aligned."""
    asked = moment(case["request"]["start"])
    first = min(moment(one["start"]) for one in told.values())
    return first if first <= asked < first + timeline(case).step else asked
