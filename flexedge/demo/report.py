"""What the site says of itself, and what the gateway says: the values the result is made from."""

from pydantic import BaseModel, ConfigDict


class Told(BaseModel):
    """A frozen value that travels as JSON between our own programs."""

    model_config = ConfigDict(frozen=True)


class ControlTruth(Told):
    """One control point as the device sees it."""

    released: bool
    state: str
    """In a word or two: "self-use", "remote"."""
    by: str | None
    """Who holds it: the address of the last writer; None while released."""
    written_s_ago: float | None


class Account(Told):
    """How one of the two houses did."""

    energies_kwh: dict[str, float]
    throughput_kwh: dict[str, float]
    grid_import_kwh: float
    grid_export_kwh: float
    bill: float
    """Import less feed-in."""
    stored_change_kwh: dict[str, float]
    stored_value: float
    site_limit_exceeded_s: float
    ev_shortfall_kwh: float
    ev_elsewhere_kwh: float
    cold_degree_days: float

    @property
    def cost(self) -> float:
        """The bill, less what is stored more than at the start."""
        return self.bill - self.stored_value


class Report(Told):
    """The site's truth at one moment."""

    event: str
    seed: int
    start: float
    now: float
    """Unix seconds of the site's clock."""
    finished: bool
    wall_s: float
    """Wall seconds since the gateway first shared the clock (or since the start)."""
    controls: dict[str, ControlTruth]
    managed: Account
    unmanaged: Account


class Ready(Told):
    """The site's first line: which ports it listens on."""

    event: str
    now: float
    clock: int | None
    ports: dict[str, int]


class Setpoints(Told):
    """What became of what the gateway wrote."""

    written: int
    verified: int
    clamped: int
    refused: int


class Plans(Told):
    """How planning went."""

    count: int
    infeasible: int
    seconds_max: float


class Totals(Told):
    """The gateway's own account of a stretch of time."""

    energies_kwh: dict[str, float | None]
    setpoints: Setpoints
    plans: Plans
    errors: int
    rss_mb: float


class Result(Told):
    """What a run with an end comes to. Units are in the names; money in EUR."""

    energy_balance_error: float
    site_limit_exceeded_s: float
    site_limit_exceeded_s_unmanaged: float
    cost: float
    cost_unmanaged: float
    saving: float
    """Share of the unmanaged cost."""
    setpoints: Setpoints
    plans: Plans
    errors: int
    rss_mb: float
    grid_import_kwh: float
    grid_export_kwh: float
    grid_import_kwh_unmanaged: float
    grid_export_kwh_unmanaged: float
    ev_shortfall_kwh: float
    ev_shortfall_kwh_unmanaged: float
    cold_degree_days: float
    cold_degree_days_unmanaged: float
    stored_change_kwh: dict[str, float]
    stored_change_kwh_unmanaged: dict[str, float]
    stored_value: float
    stored_value_unmanaged: float
    energies_kwh: dict[str, float | None]
    energies_true_kwh: dict[str, float]
    released: bool
    site_s_per_wall_s: float
    seed: int
    days: float
