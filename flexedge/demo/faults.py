"""Faults that happen to the site's devices at set times: "battery:stop@600+120"."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_PATTERN = re.compile(r"^([a-z]+):(stop|silence)@(\d+(?:\.\d+)?)\+(\d+(?:\.\d+)?)$")
UNDO = {"stop": "start", "silence": "speak"}


@dataclass(frozen=True, slots=True)
class Fault:
    """``device`` stops or falls silent ``after_s`` site seconds, for ``lasts_s`` of them."""

    device: str
    do: str
    after_s: float
    lasts_s: float


def parse_fault(text: str) -> Fault:
    """Read "device:stop@after+lasts" or "device:silence@after+lasts", in site seconds.

    Raises ``ValueError`` with a remedy.
    """
    match = _PATTERN.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a fault; write it as 'battery:stop@600+120'")
    return Fault(match[1], match[2], float(match[3]), float(match[4]))


class Faults:
    """Tells ``act`` (device, what to do) when a fault begins and when it ends."""

    def __init__(
        self, faults: Sequence[Fault], start: float, act: Callable[[str, str], None]
    ) -> None:
        self._act = act
        begins = [(start + f.after_s, f.device, f.do) for f in faults]
        ends = [(start + f.after_s + f.lasts_s, f.device, UNDO[f.do]) for f in faults]
        self._due = sorted(begins + ends)

    def step(self, now: float) -> None:
        """Do what is due at ``now`` (unix seconds)."""
        while self._due and self._due[0][0] <= now:
            _, device, do = self._due.pop(0)
            self._act(device, do)
