"""The site and its twin that is left alone, moving through the same time."""

from collections.abc import Callable
from typing import Protocol

from flexedge.demo.heating import cop
from flexedge.demo.home import Home, stored_value_eur
from flexedge.demo.outside import Outside
from flexedge.demo.report import Account, ControlTruth, Report

STEP_S = 1.0
_USUAL_BUFFER_C = 45.0
_DAY_S = 86400.0


class _Written(Protocol):
    written_at: float | None
    written_by: str | None

    @property
    def state(self) -> str: ...


class Simulation:
    """All physics, and the site's clock. ``end`` stops time for good."""

    def __init__(self, seed: int, start: float, end: float = float("inf")) -> None:
        self.seed = seed
        self.start = start
        self.now = start
        self.end = end
        self.outside = Outside(seed)
        self.managed = Home()
        self.unmanaged = Home()
        here = self.outside.at(start).trip is None
        self.managed.charger.plugged = self.unmanaged.charger.plugged = here
        self.after_step: list[Callable[[float], None]] = []
        """Called with the time at the end of each step."""
        self._stored = self.managed.stored_kwh()
        self._price_s = 0.0
        self._cop_s = 0.0

    @property
    def finished(self) -> bool:
        """Whether time has come to its end."""
        return self.now >= self.end

    def advance(self, until: float) -> None:
        """Go to ``until``, but not beyond the end, in steps of at most a second."""
        until = min(until, self.end)
        while self.now < until:
            dt = min(STEP_S, until - self.now)
            outside = self.outside.at(self.now)
            self.managed.step(self.now, dt, outside)
            self.unmanaged.step(self.now, dt, outside)
            self._price_s += outside.price * dt
            self._cop_s += cop(outside.outdoor_c, _USUAL_BUFFER_C) * dt
            self.now = until if dt < STEP_S else self.now + dt
            for call in self.after_step:
                call(self.now)

    def controls(self) -> dict[str, ControlTruth]:
        """Every control point of the managed house, by asset."""
        home = self.managed
        hybrid, inverter, charger, pump = home.hybrid, home.inverter, home.charger, home.pump
        return {
            "battery": self._control(hybrid.remote, hybrid),
            "solar": self._control(inverter.limited, inverter),
            "car": self._control(charger.force != 0, charger),
            "heating": self._control(pump.surplus_w is not None, pump),
        }

    def _control(self, held: bool, device: _Written) -> ControlTruth:  # noqa: FBT001 (what the device says)
        written = device.written_at
        return ControlTruth(
            released=not held,
            state=device.state,
            by=device.written_by if held else None,
            written_s_ago=None if written is None else self.now - written,
        )

    def report(self, event: str, wall_s: float) -> Report:
        """The truth so far."""
        return Report(
            event=event,
            seed=self.seed,
            start=self.start,
            now=self.now,
            finished=self.finished,
            wall_s=wall_s,
            controls=self.controls(),
            managed=self._account(self.managed),
            unmanaged=self._account(self.unmanaged),
        )

    def _account(self, home: Home) -> Account:
        ledger, passed = home.ledger, max(self.now - self.start, STEP_S)
        stored = home.stored_kwh()
        change = {name: stored[name] - self._stored[name] for name in stored}
        mean_cop = self._cop_s / passed or 1.0
        return Account(
            energies_kwh=ledger.energies_kwh(),
            throughput_kwh=ledger.throughput_kwh(),
            grid_import_kwh=ledger.import_kwh,
            grid_export_kwh=ledger.export_kwh,
            bill=ledger.cost_eur,
            stored_change_kwh=change,
            stored_value=stored_value_eur(change, self._price_s / passed, mean_cop),
            site_limit_exceeded_s=ledger.over.exceeded_s,
            ev_shortfall_kwh=home.charger.car.shortfall_kwh,
            ev_elsewhere_kwh=home.charger.car.elsewhere_kwh,
            cold_degree_days=home.pump.cold_degree_s / _DAY_S,
        )
