"""What the gateway tells of itself, its devices and its plan, and what people may ask of it.

Powers are in kW and consumption is positive, as everywhere in flexedge: a battery that discharges
has a negative power, so has solar. Where people ask, they say the direction in words.
"""

from typing import Annotated, Literal

from pydantic import Field

from flexedge.domain.units import PowerKw
from flexedge.wire.shape import Moment, Shape, Told

Action = Literal["charge", "discharge", "consume", "produce", "idle", "release", "no-plan"]
Why = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Clock(Told):
    """How far the machine's clock can be relied upon."""

    trusted: bool
    """Whether plans and overrides are carried out: they depend on the time of day."""
    speed: float
    """Seconds of the site per second; 1 unless the site is simulated."""


class About(Told):
    """What this gateway is."""

    version: str
    mode: Literal["site", "serve"]
    """Serve: there is no site and no device, only the API, the store and the planner."""
    site: str | None
    timezone: str | None
    currency: str | None
    now: Moment
    started: Moment
    uptime_s: float
    clock: Clock
    devices: int
    alarms: int


class AlarmTold(Told):
    """Something that is wrong now."""

    name: str
    message: str
    since: Moment | None
    """To the second; None in the first second."""


class FloorTold(Told):
    """One part of the gateway: well, or not."""

    ok: bool
    alarms: tuple[AlarmTold, ...]


class CountsTold(Told):
    """What has happened since the start."""

    written: int
    verified: int
    clamped: int
    refused: int
    plans: int
    plans_failed: int
    errors: int


class HealthTold(Told):
    """How the gateway fares, floor by floor."""

    status: Literal["ok", "alarm"]
    drivers: FloorTold
    """Devices that do not answer."""
    store: FloorTold
    plan: FloorTold
    dispatch: FloorTold
    daemon: FloorTold
    """Loops and the clock."""
    sync: FloorTold
    """What central servers are about."""
    loops: dict[str, Moment]
    """When each loop made progress last."""
    counts: CountsTold


class PointTold(Told):
    """One point of a device: its newest value and how old it is."""

    sensor: str
    value: float | None
    unit: str
    quality: str
    age_s: float | None


class LimitTold(Told):
    """A range of power that somebody insists on. None: not limited on that side."""

    by: str
    """Who says so: "profile" (the device), "installer" (the site file), or who drew it tighter."""
    low_kw: float | None
    high_kw: float | None
    until: Moment | None = None


class ControlTold(Told):
    """A control point: what the asset was last told, and what came of it."""

    asset: str
    device: str
    control: str
    kind: Literal["setpoint", "limit"]
    leased: bool
    """Whether the gateway holds it; otherwise the device is left to itself."""
    leased_since: Moment | None
    setpoint_kw: float | None
    until: Moment | None
    """When the device forgets the setpoint, should the gateway fall silent."""
    wanted_kw: float | None
    """What was to be written before the limits had their say."""
    outcome: Literal["applied", "clamped", "refused", "unreachable", "released"]
    verified: bool
    """Whether the device shows what it was told."""
    reason: str
    clamped_by: tuple[str, ...]
    at: Moment | None
    limits: tuple[LimitTold, ...]
    override: int | None
    """The number of the override in force."""


class DeviceTold(Told):
    """One device: whether it answers, what it shows, what it is told."""

    name: str
    title: str
    state: Literal["starting", "ok", "stale", "lost"]
    age_s: float | None
    """Seconds since it last answered."""
    error: str | None
    polls: int
    failures: int
    assets: tuple[str, ...]
    points: tuple[PointTold, ...]
    controls: tuple[ControlTold, ...]


class BindingTold(Told):
    """A limit that binds in a step."""

    limit: str
    shadow_price: float
    """Money that easing it by one unit in this step would save."""
    per: str


class AlternativeTold(Told):
    """When a device could do the same instead, and what a kWh costs more then."""

    device: str
    start: Moment
    extra_cost: float


class StepTold(Told):
    """One step of the plan."""

    start: Moment
    import_price: float | None
    export_price: float | None
    grid_kw: float | None
    power_kw: dict[str, float | None]
    """By asset; the mean of the step."""
    soc_kwh: dict[str, float | None]
    """By asset; at the end of the step."""
    energy_value: float | None = None
    """Money for one more kWh consumed on site."""
    binding: tuple[BindingTold, ...] = ()
    alternatives: tuple[AlternativeTold, ...] = ()
    text: str = ""


class PlanTold(Told):
    """The plan in force, and why it is as it is."""

    rung: Literal["central-plan", "fresh-plan", "last-plan", "local-rule", "released"]
    """Where orders come from now."""
    status: str
    made_at: Moment | None
    valid_until: Moment | None
    seconds: float | None
    currency: str
    resolution_s: float | None
    cost: float | None
    headline: str
    why: dict[str, str]
    """One sentence for each asset."""
    breaches: tuple[str, ...]
    """Limits that could not be kept."""
    versus: dict[str, float]
    """What electricity costs with this plan, and what it would with simple rules."""
    steps: tuple[StepTold, ...]


class AskOverride(Shape):
    """What an asset shall do instead of what is planned."""

    asset: Name
    action: Action
    """charge or consume, discharge or produce: with ``power``. idle: neither. release: the device
    is left to itself. no-plan: the local rule decides (batteries bring the grid to zero)."""
    power: PowerKw | None = None
    """Above zero, with a unit, as "2 kW"; the action says which way it flows."""
    until: Moment
    """When it ends by itself."""
    why: Why = ""


class OverrideTold(Told):
    """An override that has not ended."""

    id: int
    asset: str
    action: Action
    power_kw: float | None
    since: Moment
    until: Moment
    who: str
    why: str
    in_force: bool
    """Not while the clock is not trusted."""
    control: ControlTold | None = None
    """What comes of it: the device's last setpoint and outcome."""


class OverrideMade(OverrideTold):
    """An override that was made just now."""

    replaces: int | None
    """The number of the one it ended: the newest wins."""
    message: str


class AskLimit(Shape):
    """A limit that holds beside the installer's; never wider."""

    asset: Name | None = None
    """The asset to limit; the grid connection if left out."""
    most_consumption: Annotated[PowerKw, Field(ge=0.0)] | None = None
    """Of an asset; import of the grid connection."""
    most_production: Annotated[PowerKw, Field(ge=0.0)] | None = None
    """Of an asset; export of the grid connection. Above zero, too."""
    until: Moment
    why: Why = ""


class LimitMade(Told):
    """A temporary limit."""

    id: int
    asset: str | None
    most_consumption_kw: float | None
    most_production_kw: float | None
    since: Moment
    until: Moment
    who: str
    why: str


class SiteLimits(Told):
    """Every limit that holds now."""

    site: tuple[LimitTold, ...]
    """Of the grid connection: production is export."""
    assets: dict[str, tuple[LimitTold, ...]]
    temporary: tuple[LimitMade, ...]


class Since(Shape):
    """From where on changes are waited for."""

    since: Annotated[int, Field(ge=0)] = 0
    """The revision that is known already."""
    wait: Annotated[float, Field(ge=0.0, le=60.0)] = 30.0
    """Seconds to wait at most for a newer one."""
