"""Statistics of a sensor as FlexMeasures writes them."""

import re
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ConfigDict

from flexedge.wire.shape import Shape, moment_of


def _aware(text: Any) -> Any:
    if isinstance(text, str) and _DATE.fullmatch(text):
        return moment_of(f"{text}T00:00:00Z")
    try:
        return moment_of(text)
    except ValueError:
        return moment_of(f"{text}Z")


_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
Late = Annotated[datetime, BeforeValidator(_aware)]
"""A moment; in UTC where it has no offset."""


class StatsAsked(Shape):
    """Of which events statistics are told: those that start in a time span."""

    model_config = ConfigDict(extra="ignore")
    event_start_time: Late | None = None
    event_end_time: Late | None = None
    sort: bool = True
    """Whether the statistics of a source are an object; else a list of names and values."""
    fresh: bool = False
    """Does nothing: what is told is always fresh."""


StatsTold = dict[str, Any]
"""By source ("Seita's StorageScheduler model v9 (ID: 7)"); beside "status"."""
