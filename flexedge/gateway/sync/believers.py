"""What kinds of sources believe something of which sensors: so many sensors each has there."""

import threading

from flexedge.gateway.sync.ours import Kinds
from flexedge.store.beliefs import Beliefs
from flexedge.store.state import State


class Believers:
    """Looks at what came in since it was asked last. Safe to use from any thread."""

    def __init__(self, beliefs: Beliefs, state: State) -> None:
        self._beliefs = beliefs
        self._state = state
        self._lock = threading.Lock()
        self._epoch = 0
        self._seen = 0
        self._found: dict[int, frozenset[str]] = {}

    def kinds(self) -> Kinds:
        """By number of sensor, the kinds of its sources ("forecaster"). Raises ``StoreError``."""
        with self._lock:
            epoch, top = self._beliefs.epoch(), self._beliefs.top()
            if epoch != self._epoch:
                self._epoch, self._seen = epoch, 0
            if top > self._seen:
                sources = self._state.sources()
                for one in self._beliefs.tally(self._beliefs.sensors, (self._seen, top)):
                    if one.count and one.source in sources:
                        kind = frozenset({sources[one.source].kind})
                        self._found[one.sensor] = self._found.get(one.sensor, frozenset()) | kind
                self._seen = top
            return dict(self._found)
