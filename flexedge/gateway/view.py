"""What people see of the gateway: plain frozen values, ready to become JSON."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

DeviceState = Literal["starting", "ok", "stale", "lost"]
Rung = Literal["central-plan", "fresh-plan", "last-plan", "local-rule", "released"]
OutcomeName = Literal["applied", "clamped", "refused", "unreachable", "released"]


@dataclass(frozen=True, slots=True)
class PointView:
    """One point of a device: its newest value and how old it is."""

    sensor: str
    value: float | None
    unit: str
    quality: str
    age_s: float | None


@dataclass(frozen=True, slots=True)
class DeviceView:
    """One device: whether it answers, and what it says."""

    name: str
    title: str
    state: DeviceState
    age_s: float | None
    """Seconds since it last answered; None if it never did."""
    error: str | None
    polls: int
    failures: int
    points: tuple[PointView, ...]


@dataclass(frozen=True, slots=True)
class ControlView:
    """What an asset was last told, and what came of it."""

    setpoint_kw: float | None
    outcome: OutcomeName
    verified: bool
    reason: str
    clamped_by: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class OverrideView:
    """What somebody asks of an asset instead of what is planned, and until when."""

    action: str
    power_kw: float | None
    until: datetime
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class AssetView:
    """One asset: what it does, what it holds, what it was told."""

    name: str
    type: str
    device: str | None
    power_kw: float | None
    age_s: float | None
    quality: str
    soc_kwh: float | None
    soc_max_kwh: float | None
    plugged: bool | None
    planned_kw: float | None
    control: ControlView | None
    why: str
    """One sentence: why it does what it does now."""
    override: OverrideView | None = None


@dataclass(frozen=True, slots=True)
class PlanView:
    """The plan in force."""

    rung: Rung
    made_at: datetime | None
    valid_until: datetime | None
    status: str
    """In words: "optimal", or what went wrong and what is done instead."""
    seconds: float | None
    cost: float | None
    """Expected cost over the horizon."""
    explanation: tuple[str, ...]
    count: int
    infeasible: int
    seconds_max: float


@dataclass(frozen=True, slots=True)
class CentreView:
    """A central server, and how things stand with it."""

    name: str
    url: str
    words: str
    """In one line."""
    well: bool
    """Whether nobody has to do anything."""
    reached: bool
    """Whether it answers."""
    waiting: int
    """Values to come."""
    refused: int


@dataclass(frozen=True, slots=True)
class Status:
    """The site now."""

    site: str
    version: str
    now: datetime
    speed: float
    timezone: str
    currency: str
    import_price: float | None
    feed_in_price: float | None
    grid_kw: float | None
    grid_age_s: float | None
    grid_limit_kw: float | None
    assets: tuple[AssetView, ...]
    devices: tuple[DeviceView, ...]
    plan: PlanView
    alarms: tuple[str, ...]
    centres: tuple[CentreView, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart; None where nothing is known."""

    name: str
    unit: str
    measured: tuple[float | None, ...]
    planned: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Prices, powers and states of charge on one grid of time around now.

    ``times`` are the starts of the steps; states of charge are those at the starts.
    """

    now: datetime
    times: tuple[datetime, ...]
    resolution_s: float
    currency: str
    import_price: tuple[float | None, ...]
    feed_in_price: tuple[float | None, ...]
    grid: Line
    powers: tuple[Line, ...]
    socs: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class BeliefView:
    """One belief about one event."""

    event_start: datetime
    belief_time: datetime
    source: str
    value: float | None


@dataclass(frozen=True, slots=True)
class SetpointCounts:
    """How many setpoints were sent to devices, and what came of them."""

    written: int
    verified: int
    clamped: int
    refused: int


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """How many plans were made; ``seconds_max`` is the longest it took."""

    count: int
    infeasible: int
    seconds_max: float


@dataclass(frozen=True, slots=True)
class Totals:
    """What a span of time came to."""

    energies_kwh: dict[str, float]
    """By flow: what each asset used or made, what came from and went to the grid."""
    setpoints: SetpointCounts
    plans: PlanCounts
    errors: int
    """Unhandled errors: should be 0."""
    rss_mb: float
    """Resident memory of the daemon now."""


class Window(Protocol):
    """All that the web floor gets to see of the gateway. Safe to call from any thread."""

    def status(self) -> Status:
        """The site now."""

    def chart(self) -> Chart:
        """From midnight yesterday to the end of the plan."""

    def beliefs(self, sensor: str, start: datetime, end: datetime) -> tuple[BeliefView, ...]:
        """Readings, forecasts and schedules of a sensor; ``RequestError`` 404 if unknown."""

    def totals(self, start: datetime, end: datetime) -> Totals:
        """Energies and counts between two times."""
