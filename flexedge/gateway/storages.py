"""What is known of batteries, vehicles and heat buffers right now, for the plan and the guard."""

from datetime import datetime, timedelta

from flexedge.config.site import ReadyBy
from flexedge.domain.series import TimeGrid
from flexedge.gateway.latest import Latest
from flexedge.gateway.plant import Plant, Unit
from flexedge.optim.device import SocBound

_SOC_AGE = timedelta(minutes=10)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Storages:
    """Reads ``latest`` on demand. Safe to use from any thread."""

    def __init__(self, plant: Plant, latest: Latest) -> None:
        self._plant = plant
        self._latest = latest

    def _value(self, sensor: str | None, now: datetime) -> float | None:
        if sensor is None:
            return None
        return self._latest.value(sensor, now, max(_SOC_AGE, self._plant.max_age(sensor)))

    def plugged(self, unit: Unit, now: datetime) -> bool | None:
        """Whether a vehicle is there; None when nobody knows."""
        value = self._value(unit.sensors.get("plugged"), now)
        return None if value is None else value > 0

    def soc_kwh(self, unit: Unit, now: datetime) -> float | None:
        """The state of charge; None when nobody knows.

        From its sensor; for a vehicle without one, from what is assumed at plug-in
        (soc-at-start) and what was charged since.
        """
        reference = unit.model.state_of_charge
        sensor = unit.sensors.get("soc") if reference is None else reference.sensor
        value, full = self._value(sensor, now), unit.full_kwh
        if value is not None and sensor is not None:
            in_percent = self._plant.sensors[sensor].unit == "%"
            return value / 100.0 * full if in_percent and full is not None else value
        if not unit.vehicle or unit.model.soc_at_start is None:
            return None
        charged = self._value(unit.sensors.get("session-energy"), now)
        if charged is None:
            return None
        soc = unit.model.soc_at_start + charged * unit.model.efficiencies()[0]
        return soc if full is None else min(soc, full)

    def unknown(self, unit: Unit, now: datetime) -> bool:
        """Whether what a plan began with is not known any more: who is there, what it holds."""
        if not unit.stores:
            return False
        gone = unit.vehicle and not self.plugged(unit, now)
        return gone or self.soc_kwh(unit, now) is None

    def signature(self, now: datetime) -> tuple[object, ...]:
        """What makes a new plan worth while: who is there, and whose state of charge is known."""
        return tuple(
            (unit.name, self.plugged(unit, now), self.soc_kwh(unit, now) is not None)
            for unit in self._plant.units
            if unit.stores
        )

    def minima(self, unit: Unit, grid: TimeGrid, now: datetime) -> tuple[SocBound, ...]:
        """The states of charge that shall be reached within the horizon.

        A vehicle leaves at the first of them, so later ones do not count; one without any shall
        be full at the end of the horizon.
        """
        moments = sorted(
            (moment, ready.soc)
            for ready in unit.asset.ready_by
            for moment in self._moments(ready, grid, now)
        )
        bounds = tuple(SocBound(moment, soc) for moment, soc in moments)
        if not unit.vehicle:
            return bounds
        if bounds:
            return bounds[:1]
        full = unit.soc_max_kwh
        return () if full is None else (SocBound(grid.end, full),)

    def _moments(self, ready: ReadyBy, grid: TimeGrid, now: datetime) -> list[datetime]:
        zone, first = self._plant.zone, now.astimezone(self._plant.zone).date()
        days = (first + timedelta(days=i) for i in range(int(grid.n * grid.hours / 24) + 2))
        local = (datetime.combine(day, ready.time, zone) for day in days)
        return [
            moment
            for moment in local
            if _DAYS[moment.weekday()] in ready.days and now < moment <= grid.end
        ]
