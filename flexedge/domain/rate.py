"""How often something may be done: so many times in a span, counted by a bucket that refills."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_RATE: Final = re.compile(
    r"\s*(?P<count>\d{1,9})\s*(?:per|/)\s*(?P<many>\d{1,6})?\s*(?P<unit>second|minute|hour|day)s?\s*",
    re.IGNORECASE,
)
UNLIMITED: Final = "unlimited"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many times in such a span; a bucket that holds that many and refills evenly."""

    count: int
    span: timedelta

    def full(self, emptied: datetime, now: datetime) -> datetime:
        """When a bucket that would have been full at ``emptied`` is full after one more."""
        return max(emptied, now) + self.span / self.count

    def wait(self, emptied: datetime, now: datetime) -> timedelta:
        """How long until there is room for one more in that bucket; nothing if there is."""
        return max(self.full(emptied, now) - now - self.span, timedelta(0))


def rate_of(text: str) -> Rate | None:
    """What a plan or a setting says: "500 per minute", "10 per 5 minutes"; None for "unlimited".

    Raises ``ValueError``.
    """
    if text.strip().lower() == UNLIMITED:
        return None
    found = _RATE.fullmatch(text)
    count, many = (int(found["count"]), int(found["many"] or 1)) if found else (0, 0)
    if not found or not count or not many:
        raise ValueError(
            f'{text!r} should be a rate such as "500 per minute" or "10 per 5 minutes", '
            f'or "{UNLIMITED}"'
        )
    return Rate(count, many * timedelta(**{f"{found['unit'].lower()}s": 1}))
