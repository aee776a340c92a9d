"""Two sides of a link, compared by what their APIs tell: beliefs counted, values equal."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

Ask = Callable[..., Any]
"""A path and query parameters; the JSON answer, which must be a good one."""
_ROLES: Final[Mapping[str, str]] = {"forecaster": "forecast", "scheduler": "schedule"}
"""What sources of a kind believe goes to sensors of a role; all else to the one without."""
_CENTRE: Final = "centre:"
"""What the kinds of sources begin with whose word came from there: it is not sent back."""
_EQUAL: Final = 1e-9
_SAME_PLAN: Final = 1e-6
"""Of forecasts and schedules what differs by less from what was told last is not told."""
_MINUTE: Final = timedelta(minutes=1)


class Name(NamedTuple):
    """Of a sensor: that of its asset and its own."""

    asset: str
    sensor: str


class Window(NamedTuple):
    """Of events."""

    start: datetime
    end: datetime

    @property
    def asked(self) -> Mapping[str, str]:
        """As data is asked for."""
        minutes = (self.end - self.start) // _MINUTE
        return {"start": self.start.isoformat(), "duration": f"PT{minutes}M"}

    @property
    def counted(self) -> Mapping[str, str]:
        """As statistics are asked for."""
        return {
            "event_start_time": self.start.isoformat(), "event_end_time": self.end.isoformat(),
        }  # fmt: skip


@dataclass(frozen=True)
class Side:
    """What one program says of its sensors."""

    ask: Ask

    def sensors(self) -> Mapping[Name, Mapping[str, Any]]:
        """All of them."""
        assets = {one["id"]: one["name"] for one in self.ask("/api/v3_0/assets")}
        found = self.ask("/api/v3_0/sensors")
        return {Name(assets[one["generic_asset_id"]], one["name"]): one for one in found}

    def kinds(self) -> Mapping[int, str]:
        """The types of sources by their numbers."""
        return {one["id"]: one["type"] for one in self.ask("/api/v3_0/sources")["sources"]}

    def beliefs(self, sensor: int, window: Window) -> Mapping[int, int]:
        """How many beliefs there are of each source, also those that were revised."""
        told = self.ask(f"/api/v3_0/sensors/{sensor}/stats", **window.counted)
        return {
            int(name.rpartition("(ID: ")[2].rstrip(")")): int(one["Number of values"])
            for name, one in told.items() if isinstance(one, dict)
        }  # fmt: skip

    def values(self, sensor: Mapping[str, Any], window: Window, **more: str) -> list[Any]:
        """The most recent values."""
        asked = {**window.asked, "unit": sensor["unit"], **more}
        if sensor["event_resolution"] in ("PT0S", "PT0M"):
            asked["resolution"] = "PT5M"
        values: list[Any] = self.ask(f"/api/v3_0/sensors/{sensor['id']}/data", **asked)["values"]
        return values


@dataclass(frozen=True)
class Row:
    """One sensor of the centre against ours."""

    name: Name
    role: str
    ours: int
    theirs: int
    """Beliefs."""
    known: int
    """Values that are not missing."""
    sums: tuple[float, float]
    """Of our values, and of theirs."""
    apart: tuple[Any, ...]
    """Values that differ, of forecasts and schedules by more than is told: where, ours, theirs."""

    def __str__(self) -> str:
        name = f"{self.name.asset} / {self.name.sensor} {self.role}"
        here, there = self.sums
        wrong = f"; apart: {self.apart[:3]}" if self.apart else ""
        return (
            f"{name:45} {self.ours:6} beliefs, {self.theirs:6} there;"
            f" {self.known:4} values, sums {here:.3f} and {there:.3f}{wrong}"
        )

    @property
    def complete(self) -> bool:
        """Whether nothing is missing or too much; of forecasts a centre drops what is no news."""
        fits = self.theirs == self.ours if not self.role else self.theirs <= self.ours
        return fits and not self.apart


def compare(ours: Side, theirs: Side, window: Window) -> list[Row]:
    """All sensors of ours of which something is believed, in every role, against the centre's."""
    there, kinds = theirs.sensors(), ours.kinds()
    rows = []
    for name, here in sorted(ours.sensors().items()):
        counts: dict[str, dict[int, int]] = {"": {}}
        for source, count in ours.beliefs(here["id"], window).items():
            kind = kinds.get(source, "")
            if not kind.startswith(_CENTRE):
                counts.setdefault(_ROLES.get(kind, ""), {})[source] = count
        for role, sources in counts.items():
            one = there.get(Name(name.asset, f"{name.sensor} {role}".strip()))
            if one is None:
                assert not sources, f"{name} {role} is not at the centre"
                continue
            only = {"source": str(*sources)} if len(sources) == 1 else {}
            mine = ours.values(here, window, **only) if sources else []
            found = theirs.values(one, window) if sources else []
            known = sum(value is not None for value in mine)
            beliefs = sum(theirs.beliefs(one["id"], window).values())
            apart = _apart(mine, found, _SAME_PLAN if role else _EQUAL)
            sums = _sum(mine), _sum(found)
            rows.append(Row(name, role, sum(sources.values()), beliefs, known, sums, apart))
    return rows


def _sum(values: Iterable[float | None]) -> float:
    return math.fsum(value for value in values if value is not None)


def _apart(ours: list[Any], theirs: list[Any], within: float) -> tuple[Any, ...]:
    if len(ours) != len(theirs):
        return (("length", len(ours), len(theirs)),)
    pairs = enumerate(zip(ours, theirs, strict=True))
    return tuple((place, *pair) for place, pair in pairs if not _same(*pair, within))


def _same(one: float | None, other: float | None, within: float) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=within, abs_tol=within)
