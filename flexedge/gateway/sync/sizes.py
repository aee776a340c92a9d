"""How many values a centre takes at once: learnt from what it refuses, or is slow with."""

from dataclasses import dataclass
from typing import Final

from flexedge.gateway.sync.outbox import LIVE

MOST: Final = 500
"""Values in one request of a centre that stores them before it answers: FlexMeasures takes about 30
ms for each value that it knows already, and an answer must be there within 30 s."""
QUEUED: Final = 5_000
"""The same of a centre that answers at once, and stores them in a job."""
SMALL: Final = 25
"""So few are never what takes it so long."""
SELDOM: Final = 50
"""So many requests must be stored before as many values are tried as it was too slow with."""
OFTEN: Final = 200
"""So many requests must be stored before larger ones than it took are tried again."""


@dataclass(slots=True)
class Sizes:
    """How many values a centre takes at once; learnt from what it refuses or is slow with."""

    most: int = MOST
    ceiling: int = MOST
    live: int = LIVE
    """Rows of one link that are sent before what waited."""

    _stored: int = 0
    """Requests since it refused one for its size, or the ceiling was raised."""
    _slow: int = 0
    """Near what it was too slow with; zero: that was long ago."""
    _well: int = 0
    """Requests since then."""

    def too_large(self) -> None:
        """It refused a request for its size: no such one is made again for a long time."""
        self._stored = 0
        self.ceiling = self.most = max(self.most // 2, 1)

    def too_slow(self) -> None:
        """It did not answer in time: smaller ones for a while, unless they are small already."""
        self._slow, self._well = self.most * 3 // 4, 0
        self.most = min(self.most, max(self.most // 2, SMALL))

    def queued(self) -> None:
        """It answers before it has stored them: no need to be brief."""
        if self.ceiling == MOST:
            self.ceiling = QUEUED

    def stored(self) -> None:
        """It took one. What refused a size may have been a device on the way that has gone."""
        self._stored += 1
        if self._stored >= OFTEN and self.ceiling < MOST:
            self._stored, self.ceiling = 0, min(2 * self.ceiling, MOST)
        self._well += 1
        if self._well >= SELDOM:
            self._slow = 0
        more = min(self.most + max(self.most // 10, 1), self._slow or self.ceiling, self.ceiling)
        self.most = max(self.most, more)
