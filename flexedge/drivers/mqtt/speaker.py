"""Who speaks on a device's topics, and for how long each has been silent."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from flexedge.drivers.mqtt.broker import Broker


class Speaker:
    """Somebody who publishes on ``topics``, and is away when silent for longer than ``max_age``.

    A live message on any of them is a sign of life: many devices send a value only when it
    changes. What the broker kept is none, for nobody knows how old it is. Only of somebody who
    may be away without harm (``required`` is false) it counts as if it were new when first seen.
    """

    def __init__(self, topics: Iterable[str], max_age: timedelta, *, required: bool) -> None:
        self.topics = frozenset(topics)
        self.required = required
        self._max_age = max_age
        self._heard = 0
        self._spoke_at: datetime | None = None

    def silence(self, broker: Broker, now: datetime) -> str | None:
        """Why it counts as away; None while it does not. To be called at every look."""
        messages = [broker.newest(topic) for topic in self.topics]
        heard = sum(message.arrivals for message in messages if message is not None)
        if not self.required and any(messages):
            heard += 1
        if heard != self._heard:
            self._heard, self._spoke_at = heard, now
        if self._spoke_at is None:
            return "has not spoken yet"
        silence = now - self._spoke_at
        if silence <= self._max_age:
            return None
        return f"has not spoken for {silence.total_seconds():.0f} s"
