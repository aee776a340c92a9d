"""A wall box and the car that comes and goes."""

from flexedge.demo.place import READY_KWH
from flexedge.demo.response import lag
from flexedge.demo.trips import Trip

CAPACITY_KWH = 58.0
EFFICIENCY = 0.9
LEAST_A, MOST_A = 6, 16
_VOLTS = 230.0
_TAU_S = 1.0
_TAPER_FROM = 0.9
_TAPERED_KW = 2.5
_RESERVE_KWH = 3.0
TIMEOUT_S = 60.0
NEUTRAL, OFF, ON = 0, 1, 2
IDLE, CHARGING, WAITING, COMPLETE = 1, 2, 3, 4
ONE_PHASE, THREE_PHASES = 1, 2


class Car:
    """The battery on wheels."""

    def __init__(self, soc_kwh: float) -> None:
        self.soc_kwh = soc_kwh
        self.elsewhere_kwh = 0.0
        """Charged on the road, because home had not given enough."""
        self.shortfall_kwh = 0.0
        """What was missing at departures to work."""

    @property
    def wants_kw(self) -> float:
        """Most it draws from the wall box now; 0 when full."""
        share = self.soc_kwh / CAPACITY_KWH
        if share >= 1.0:
            return 0.0
        full = MOST_A * _VOLTS * 3 / 1000.0
        over = max(share - _TAPER_FROM, 0.0) / (1.0 - _TAPER_FROM)
        return full + (_TAPERED_KW - full) * over

    def drive(self, trip: Trip, dt: float) -> None:
        """Use energy for ``dt`` seconds of a trip."""
        used = trip.driving_kw * dt / 3600.0
        left = self.soc_kwh - used
        if left < _RESERVE_KWH:
            self.elsewhere_kwh += _RESERVE_KWH - left
            left = _RESERVE_KWH
        self.soc_kwh = left


class Charger:
    """The wall box: charges by itself unless told otherwise, and again when told no more."""

    def __init__(self, car: Car) -> None:
        self.car = car
        self.power_kw = 0.0
        """Mean of the last step."""
        self.amps = MOST_A
        self.force = NEUTRAL
        self.phase_mode = THREE_PHASES
        self.session_wh = 0.0
        self.plugged = True
        self.written_at: float | None = None
        self.written_by: str | None = None
        self._output_kw = 0.0

    @property
    def phases(self) -> int:
        """How many phases it charges on."""
        return 1 if self.phase_mode == ONE_PHASE else 3

    @property
    def offered_kw(self) -> float:
        """What the car may draw."""
        if not self.plugged or self.force == OFF:
            return 0.0
        return self.amps * _VOLTS * self.phases / 1000.0

    @property
    def car_state(self) -> int:
        """go-e's word for what the car does."""
        if not self.plugged:
            return IDLE
        if self.car.soc_kwh >= CAPACITY_KWH:
            return COMPLETE
        return CHARGING if self.offered_kw > 0 else WAITING

    def step(self, now: float, dt: float, trip: Trip | None) -> None:
        """Charge, or let the car drive, for ``dt`` seconds from ``now``."""
        if self.force != NEUTRAL and now - (self.written_at or 0.0) > TIMEOUT_S:
            self.force = NEUTRAL
        self._plug(trip)
        if trip is not None:
            self.car.drive(trip, dt)
            return
        aim = min(self.offered_kw, self.car.wants_kw)
        mean, self._output_kw = lag(self._output_kw, aim, dt, _TAU_S)
        hours = dt / 3600.0
        mean = min(mean, (CAPACITY_KWH - self.car.soc_kwh) / (EFFICIENCY * hours))
        self.car.soc_kwh = min(self.car.soc_kwh + mean * EFFICIENCY * hours, CAPACITY_KWH)
        self.session_wh += mean * hours * 1000.0
        self.power_kw = mean

    def _plug(self, trip: Trip | None) -> None:
        here = trip is None
        if here == self.plugged:
            return
        self.plugged = here
        if here:
            self.session_wh = 0.0
            return
        self.power_kw = self._output_kw = 0.0
        if trip is not None and trip.workday:
            self.car.shortfall_kwh += max(READY_KWH - self.car.soc_kwh, 0.0)

    @property
    def state(self) -> str:
        """What it does, in a word."""
        return ("charges by itself", "held off", "held on")[self.force]
