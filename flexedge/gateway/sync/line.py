"""One sensor of a centre that values are sent to: what is on its way there, and how that goes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from flexedge.gateway.sync.delivery import Delivery
from flexedge.gateway.sync.outbox import Portion
from flexedge.gateway.sync.telling import Memory

PAUSE: Final = timedelta(hours=1)
"""How long a sensor is left alone that the centre does not want values for."""
_HOPELESS: Final = 3  # deliveries in a row of which nothing was taken


@dataclass(slots=True)
class Going:
    """A delivery and what it is of."""

    delivery: Delivery
    portion: Portion | None = None
    entry: int | None = None
    """Of ``state.unwanted``: what is tried once more."""
    wait: datetime | None = None
    """When its job is to be asked for again."""
    patience: int = 1
    """How much longer that is after one more time in vain."""
    paid: bool = False
    """Whether the budget has paid for what is next, though the pace did not allow it yet."""

    @property
    def live(self) -> bool:
        """Whether it is about what is new."""
        return self.portion is not None and self.portion.live


@dataclass(slots=True)
class Line:
    """For one thread."""

    memory: Memory = field(default_factory=Memory)
    going: Going | None = None
    news: bool = False
    """Whether it is to be looked for what is new, before anything else is sent."""
    paused: datetime | None = None
    """Until when it is left alone."""
    why: str = ""
    look_late: datetime | None = None
    """When it is looked again for events of which parts are missing."""
    _hopeless: int = 0

    def rests(self, now: datetime) -> bool:
        """Whether nothing is sent now."""
        return self.paused is not None and now < self.paused

    def pause(self, why: str, now: datetime) -> Portion | None:
        """Leave it alone for a while; gives what was under way."""
        self.paused, self.why = now + PAUSE, why
        return self.let_go()

    def let_go(self) -> Portion | None:
        """Forget what is under way, and give it back; it will be told anew."""
        going, self.going = self.going, None
        self.memory = Memory()
        return None if going is None else going.portion

    def finished(self, now: datetime) -> None:
        """What was under way is stored or set aside."""
        if self.going is None:
            return
        delivery, self.going = self.going.delivery, None
        if delivery.taken:
            self._hopeless, self.why = 0, ""
        elif delivery.hopeless:
            self._hopeless += 1
        if self._hopeless >= _HOPELESS:
            self.paused, self.why = now + PAUSE, "none of its values is taken"
            self._hopeless = 0
