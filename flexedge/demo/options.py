"""What the demo can be told on the command line."""

import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flexedge.demo.place import ZONE

DEFAULT_FOLDER = Path("var/demo")
_SPRING_DAY = "2026-04-14T00:00"


@dataclass(frozen=True, slots=True)
class Options:
    """The options of ``flexedge demo``."""

    speed: float = 1.0
    """How many times faster than the wall clock site and daemon live."""
    days: float | None = None
    """End after so many days of the site's clock and print the result."""
    seed: int = 1
    json: bool = False
    """The result as one JSON object on stdout, everything else on stderr."""
    port: int | None = None
    """Of the web page; None: 8440, or any free one."""
    start: str | None = None
    """ISO date and time, local to the site unless it says otherwise."""
    faults: tuple[str, ...] = ()
    """Such as "battery:stop@600+120", "meter:silence@60+30", "all:stop@3600+60"."""
    folder: Path = DEFAULT_FOLDER
    keep: bool = False
    """Go on with what an earlier run left in the folder."""
    daemon: tuple[str, ...] = (sys.executable, "-m", "flexedge", "run")

    def begins_at(self) -> float | None:
        """When the site's clock starts (unix seconds); None: at the wall clock's now.

        Raises ``ValueError`` for a start that is no date and time, or one that real time cannot
        have.
        """
        text = self.start
        if text is None and self.days is not None and self.speed != 1:
            text = _SPRING_DAY
        if text is None:
            return None
        if self.speed == 1:
            raise ValueError("a start needs a speed other than 1: real time starts now")
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZONE)).timestamp()
