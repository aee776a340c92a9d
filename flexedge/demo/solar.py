"""A roof of panels (8 kWp) and its inverter."""

PEAK_KW = 8.0
_PERFORMANCE = 0.92
_PER_KELVIN = 0.004
_HEATED_K = 25.0
"""How much warmer than the air the cells get in full sun."""


def available_kw(sun: float, outdoor_c: float) -> float:
    """What the panels could give: share of irradiance, less what heat takes. Positive."""
    cells_c = outdoor_c + _HEATED_K * sun
    return max(PEAK_KW * sun * _PERFORMANCE * (1.0 - _PER_KELVIN * (cells_c - 25.0)), 0.0)


class Inverter:
    """Gives what the sun gives, up to a limit that falls away when nobody renews it."""

    def __init__(self) -> None:
        self.power_kw = 0.0
        """Mean of the last step; production is negative."""
        self.energy_wh = 0.0
        self.limit_share = 1.0
        self.limited = False
        self.revert_s = 0
        """0: the limit stays."""
        self.throttled = False
        self.written_at: float | None = None
        self.written_by: str | None = None

    def touch(self, now: float, peer: str) -> None:
        """The limit was written: the reversion timer starts again."""
        self.written_at = now
        self.written_by = peer

    def step(self, now: float, dt: float, sun: float, outdoor_c: float) -> None:
        """Give power for ``dt`` seconds from ``now``."""
        if self.limited and self.revert_s and now - (self.written_at or 0.0) > self.revert_s:
            self.limited = False
        available = available_kw(sun, outdoor_c)
        most = PEAK_KW * min(self.limit_share, 1.0) if self.limited else PEAK_KW
        given = min(available, most)
        self.throttled = given < available
        self.power_kw = -given
        self.energy_wh += given * dt / 3.6

    @property
    def state(self) -> str:
        """What it does, in a word."""
        return "limited" if self.limited else "free"
