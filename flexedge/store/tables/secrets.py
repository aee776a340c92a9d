"""What other services want to be shown, as it is kept: encrypted by whoever calls."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret of an account or asset under a path of one or two names."""

    thing: str
    thing_id: int
    path: str
    sealed_value: str
    key_id: str
    expires: datetime | None = None
