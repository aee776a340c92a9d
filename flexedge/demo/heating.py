"""A heat pump and the buffer it heats."""

from flexedge.demo.response import clip

VOLUME_L = 800.0
LEAST_C, MOST_C = 35.0, 55.0
KWH_PER_KELVIN = VOLUME_L * 1.163e-3
LEAST_KW, MOST_KW = 0.8, 3.0
TIMEOUT_S = 60.0
COMFORT_C = 33.0
_LOSS_KW_PER_KELVIN = 0.0025
_ROOM_C = 20.0
_HEATER_KW = 3.0
_RAMP_KW_PER_S = 0.25
_THERMOSTAT_C = (42.0, 48.0)
_THERMOSTAT_KW = 2.2
_COLD_C = (34.0, 36.0)
_HOT_C = (55.0, 57.0)
_CARNOT_SHARE = 0.42
_FLOW_ABOVE_K = 4.0


def cop(outdoor_c: float, buffer_c: float) -> float:
    """Heat per electricity: a share of Carnot's between outdoor air and flow water."""
    flow = buffer_c + _FLOW_ABOVE_K
    return clip(_CARNOT_SHARE * (flow + 273.15) / max(flow - outdoor_c, 5.0), 1.5, 6.5)


class HeatPump:
    """Heats the buffer; keeps itself safe whatever it is told."""

    def __init__(self, buffer_c: float) -> None:
        self.buffer_c = buffer_c
        self.outdoor_c = 10.0
        self.power_kw = 0.0
        """Mean of the last step, with the backup heater."""
        self.compressor_kw = 0.0
        self.cop = 0.0
        """Of the last step; 0 while off."""
        self.surplus_w: int | None = None
        """What it was told to use; None: its own thermostat decides."""
        self.written_at: float | None = None
        self.written_by: str | None = None
        self.cold_degree_s = 0.0
        self._calls = False
        self._too_cold = False
        self._too_hot = False

    def tell(self, surplus_w: int | None, now: float, peer: str) -> None:
        """Surplus to use (W); None gives it back to its thermostat."""
        self.surplus_w = surplus_w
        self.written_at = now
        self.written_by = peer

    def step(self, now: float, dt: float, outdoor_c: float, demand_kw: float) -> None:
        """Heat for ``dt`` seconds from ``now`` while the house takes ``demand_kw``."""
        if self.surplus_w is not None and now - (self.written_at or 0.0) > TIMEOUT_S:
            self.surplus_w = None
        self.outdoor_c = outdoor_c
        self._ramp(self._aim_kw(), dt)
        self.cop = cop(outdoor_c, self.buffer_c) if self.compressor_kw else 0.0
        heater = _HEATER_KW if self.buffer_c < COMFORT_C else 0.0
        self.cold_degree_s += max(COMFORT_C - self.buffer_c, 0.0) * dt
        loss = _LOSS_KW_PER_KELVIN * (self.buffer_c - _ROOM_C)
        net = self.compressor_kw * self.cop + heater - demand_kw - loss
        self.buffer_c += net * dt / 3600.0 / KWH_PER_KELVIN
        self.power_kw = self.compressor_kw + heater

    def _ramp(self, aim: float, dt: float) -> None:
        if aim < LEAST_KW:
            self.compressor_kw = 0.0
            return
        running = max(self.compressor_kw, LEAST_KW)
        self.compressor_kw = clip(aim, running - _RAMP_KW_PER_S * dt, running + _RAMP_KW_PER_S * dt)

    def _aim_kw(self) -> float:
        self._calls = _between(self._calls, self.buffer_c, *_THERMOSTAT_C)
        self._too_cold = _between(self._too_cold, self.buffer_c, *_COLD_C)
        self._too_hot = not _between(not self._too_hot, self.buffer_c, *_HOT_C)
        if self._too_hot:
            return 0.0
        if self._too_cold:
            return max(_THERMOSTAT_KW, (self.surplus_w or 0) / 1000.0)
        if self.surplus_w is None:
            return _THERMOSTAT_KW if self._calls else 0.0
        return min(self.surplus_w / 1000.0, MOST_KW)

    @property
    def stored_kwh(self) -> float:
        """Heat above the least temperature."""
        return (self.buffer_c - LEAST_C) * KWH_PER_KELVIN

    @property
    def state(self) -> str:
        """What it does, in a word."""
        return "own thermostat" if self.surplus_w is None else "uses surplus"


def _between(on: bool, value: float, low: float, high: float) -> bool:  # noqa: FBT001 (the state so far)
    """A switch with hysteresis: on below ``low``, off above ``high``."""
    return value < low or (on and value < high)
