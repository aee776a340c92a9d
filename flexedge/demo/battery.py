"""A home battery with its hybrid inverter: 10 kWh usable, 5 kW, AC coupled."""

from flexedge.demo.response import clip, lag

CAPACITY_KWH = 10.0
POWER_KW = 5.0
EFFICIENCY = 0.92**0.5
"""One way."""
STANDBY_KW = 0.01
_TAU_S = 0.7
_TAPER = 0.05
"""The last share of the capacity, where power falls towards its least."""
_LEAST_SHARE = 0.06
SELF_USE, FEED_IN_FIRST, BACK_UP = 0, 1, 2


class Battery:
    """Cells and inverter. ``power_kw`` is the mean of the last step at the AC side, + charges."""

    def __init__(self, soc_kwh: float) -> None:
        self.soc_kwh = soc_kwh
        self.power_kw = 0.0
        self._output_kw = 0.0

    @property
    def most_charge_kw(self) -> float:
        """What it accepts now."""
        room = (CAPACITY_KWH - self.soc_kwh) / (CAPACITY_KWH * _TAPER)
        return POWER_KW * clip(room, _LEAST_SHARE, 1.0) if room > 0 else 0.0

    @property
    def most_discharge_kw(self) -> float:
        """What it can give now."""
        left = self.soc_kwh / (CAPACITY_KWH * _TAPER)
        return POWER_KW * clip(left, _LEAST_SHARE, 1.0) if left > 0 else 0.0

    def step(self, wanted_kw: float, dt: float) -> None:
        """Follow ``wanted_kw`` for ``dt`` seconds, as far as the cells allow."""
        aim = clip(wanted_kw, -self.most_discharge_kw, self.most_charge_kw)
        mean, self._output_kw = lag(self._output_kw, aim, dt, _TAU_S)
        hours = dt / 3600.0
        rested = max(self.soc_kwh - STANDBY_KW * hours, 0.0)
        most = (CAPACITY_KWH - rested) / (EFFICIENCY * hours)
        mean = clip(mean, -rested * EFFICIENCY / hours, most)
        stored = mean * EFFICIENCY if mean > 0 else mean / EFFICIENCY
        self.soc_kwh = clip(rested + stored * hours, 0.0, CAPACITY_KWH)
        self.power_kw = mean


class Hybrid:
    """The inverter's mind: remote setpoints with a watchdog, and a work mode behind it."""

    def __init__(self, battery: Battery) -> None:
        self.battery = battery
        self.work_mode = SELF_USE
        self.remote = False
        self.timeout_s = 60
        self.setpoint_w = 0
        """As the device counts: + discharges."""
        self.written_at: float | None = None
        self.written_by: str | None = None
        self.ct_kw = 0.0
        """Its own current transformer at the grid connection, + imports."""

    def touch(self, now: float, peer: str) -> None:
        """A remote register was written: the watchdog starts again."""
        self.written_at = now
        self.written_by = peer

    def step(self, now: float, dt: float) -> None:
        """Decide and do, for ``dt`` seconds from ``now``."""
        if self.remote and (self.written_at is None or now - self.written_at > self.timeout_s):
            self.remote = False
        self.battery.step(self._wanted_kw(), dt)

    def _wanted_kw(self) -> float:
        if self.remote:
            return -self.setpoint_w / 1000.0
        follow = self.battery.power_kw - self.ct_kw
        if self.work_mode == FEED_IN_FIRST:
            return min(follow, 0.0)
        return 0.0 if self.work_mode == BACK_UP else follow

    @property
    def state(self) -> str:
        """What it does, in a word."""
        if self.remote:
            return "remote"
        return {SELF_USE: "self-use", FEED_IN_FIRST: "feed-in first"}.get(self.work_mode, "back-up")
