"""What linking with centres and unlinking from them needs, and how they take turns."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from flexedge.cloud.central import Central
from flexedge.cloud.keys import Keys
from flexedge.config.centre import CentreRules
from flexedge.errors import CentreAway, RequestError
from flexedge.gateway.sync.ours import Kinds
from flexedge.store.state import State

_WAIT_S: Final = 5.0
_TURN_S: Final = 60.0
"""So long is waited for whoever makes things at a centre just now; that is a few requests."""
_LONGEST_WAIT_S: Final = 300.0
_HASTY: Final = 4 * 480
"""Requests per minute while somebody waits. A quarter may be made at once, and FlexMeasures allows
500 in a minute: what is told to be too much there is waited for.
"""


@dataclass(frozen=True, slots=True)
class Office:
    """What linking needs."""

    state: State
    keys: Callable[[str], Keys]
    """Where the credential of a centre is kept, by the centre's name."""
    rules: Callable[[str], CentreRules]
    """What the site file says of a centre; ``CentreRules()`` where it says nothing."""
    now: Callable[[], datetime]
    reach: Callable[[str, str, Keys, CentreRules], Central]
    """A client, by name and URL."""
    kinds: Callable[[], Kinds] = dict
    """By sensor, what kinds of sources ("forecaster", "scheduler") believe something of it."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Whoever makes things at centres holds it: nothing is made twice."""
    patience_s: float = _TURN_S
    """So long whoever comes next waits for it."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold it. Raises ``RequestError`` 409 where somebody else does for long."""
        if not self.lock.acquire(timeout=self.patience_s):
            raise RequestError(
                409, "Assets are being made at a centre just now; try again in a while."
            )
        try:
            yield
        finally:
            self.lock.release()


def pause(error: CentreAway) -> float:
    """How many seconds to wait before a centre is asked again; raises it where that is no use."""
    if error.kind not in ("paced", "busy"):
        raise error
    after = error.retry_after
    return min(after.total_seconds() if after else _WAIT_S, _LONGEST_WAIT_S)


def hasty(office: Office, name: str) -> CentreRules:
    """What the site file says of a centre, but for how quickly it is asked: somebody waits."""
    rules = office.rules(name)
    return rules.model_copy(update={"requests_per_min": max(rules.requests_per_min, _HASTY)})
