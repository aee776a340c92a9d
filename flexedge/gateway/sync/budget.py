"""How many bytes of what waited may be sent, minute by minute."""

from datetime import datetime, timedelta
from typing import Final

_MINUTE: Final = timedelta(minutes=1)
_KB: Final = 1000.0
_SOON: Final = timedelta(milliseconds=100)


class Budget:
    """So many kB per minute, a minute's worth at once; None: as much as there is."""

    def __init__(self, kb_per_min: float | None) -> None:
        self._rate = None if kb_per_min is None else kb_per_min * _KB
        self._left = 0.0
        self._filled: datetime | None = None

    def fill(self, now: datetime) -> None:
        """Add what the time since the last call allows."""
        if self._rate is not None:
            since = _MINUTE if self._filled is None else now - self._filled
            more = self._rate * max(since / _MINUTE, 0.0)
            self._left = min(self._left + more, self._rate)
        self._filled = now

    def affords(self, size: int) -> bool:
        """Spend so many bytes; False: not now. The last request of a minute may be too large."""
        if self._rate is None:
            return True
        if self._left <= 0:
            return False
        self._left -= size
        return True

    def wait(self) -> timedelta:
        """How long it takes until something can be sent."""
        if self._rate is None or self._left > 0:
            return timedelta(0)
        return _MINUTE * (-self._left / self._rate) + _SOON
