"""What becomes of each of our assets and sensors when a gateway is linked, as plain values."""

from dataclasses import dataclass
from typing import Literal

SameName = Literal["ask", "adopt", "take-over", "beside"]
"""What is done with what has the name there that ours would get. adopt: it is ours from then on,
unless it is another gateway's; take-over: also then; beside: ours gets another name."""
Way = Literal["have", "find", "make", "ask", "leave"]
"""have: linked already; find: it is there and is ours; make: it will be made; ask: something has
its name there (``SameName``); leave: it is not sent."""


@dataclass(frozen=True, slots=True)
class Step:
    """What will become of one of our assets or sensors."""

    thing: Literal["asset", "sensor"]
    local_id: int
    role: str
    """Of sensors: "" (measured), "forecast", "schedule"."""
    path: str
    """Where it is here: "Home / battery / power forecast"."""
    name: str
    """What it is called there."""
    way: Way
    central_id: int | None = None
    notes: tuple[str, ...] = ()
    """How it was found, what differs, why it is left out."""
