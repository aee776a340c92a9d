"""The time that is handed out: monotonic time plus an offset that follows, but never jumps. Pure.

What lives in the process (ages, back-off, plans, leases) may compare its moments without a thought.
"""

from dataclasses import dataclass
from typing import Self

_SLEW = 20  # a second is made good in so many


@dataclass(frozen=True, slots=True)
class Timeline:
    """UTC over monotonic time, both in microseconds."""

    offset_us: int
    """UTC less monotonic time at ``since_us``,"""
    goal_us: int
    """and where that is to go."""
    since_us: int = 0

    def offset(self, up_us: int) -> int:
        """UTC less monotonic time at a monotonic time."""
        left = self.goal_us - self.offset_us
        moved = min(abs(left), max(up_us - self.since_us, 0) // _SLEW)
        return self.offset_us + (moved if left > 0 else -moved)

    def utc(self, up_us: int) -> int:
        """UTC at a monotonic time; grows with it, by 19 to 21 s in 20."""
        return up_us + self.offset(up_us)

    def towards(self, goal_us: int, up_us: int) -> Self:
        """The same until now, and from now on towards another offset."""
        return type(self)(self.offset(up_us), goal_us, up_us)
