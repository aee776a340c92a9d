"""Even runs of values, as a server takes and gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Run:
    """Values of one sensor at even distances, and when they were believed.

    ``values``: one for each event; None: missing. ``step``: from one event's start to the next
    one's; what a single event lasts. Exactly one of ``prior`` (believed at that moment) and
    ``horizon`` (believed so long before each event could be known; zero: when it was over) is
    given for what is sent; of what was received both may be None.
    """

    start: datetime
    step: timedelta
    values: tuple[float | None, ...]
    unit: str
    prior: datetime | None = None
    horizon: timedelta | None = None

    @property
    def end(self) -> datetime:
        """When the last event is over."""
        return self.start + self.step * len(self.values)

    def part(self, first: int, n: int) -> "Run":
        """``n`` of its values from the one with number ``first`` on."""
        return Run(
            self.start + self.step * first, self.step, self.values[first : first + n], self.unit,
            self.prior, self.horizon,
        )  # fmt: skip


def as_json(run: Run) -> Mapping[str, object]:
    """A run as FlexMeasures wants it posted; also how it is kept."""
    from_now_on: dict[str, object] = {
        "start": run.start.isoformat(),
        "duration": f"PT{(run.end - run.start).total_seconds():.15g}S",
        "values": list(run.values),
        "unit": run.unit,
    }
    if run.prior is not None:
        from_now_on["prior"] = run.prior.isoformat()
    if run.horizon is not None:
        from_now_on["horizon"] = f"PT{run.horizon.total_seconds():.15g}S"
    return from_now_on
