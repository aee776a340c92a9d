"""One house with all its devices behind one grid meter."""

from flexedge.demo.battery import EFFICIENCY as BATTERY_EFFICIENCY
from flexedge.demo.battery import Battery, Hybrid
from flexedge.demo.charger import EFFICIENCY as CAR_EFFICIENCY
from flexedge.demo.charger import Car, Charger
from flexedge.demo.heating import HeatPump
from flexedge.demo.ledger import Ledger, Powers
from flexedge.demo.market import FEED_IN_EUR_PER_KWH
from flexedge.demo.outside import Conditions
from flexedge.demo.solar import Inverter

START_BATTERY_KWH = 3.0
START_CAR_KWH = 38.0
START_BUFFER_C = 45.0
_LOAD_SHARES = (0.7, 0.15, 0.15)
"""How the household's load spreads over the phases."""
_VOLTS = 230.0
_OHMS = 0.12
"""Of the cable to the street: voltage sags with import."""


class Home:
    """The devices, stepped together; each front end reads and commands its own."""

    def __init__(self) -> None:
        self.hybrid = Hybrid(Battery(START_BATTERY_KWH))
        self.inverter = Inverter()
        self.charger = Charger(Car(START_CAR_KWH))
        self.pump = HeatPump(START_BUFFER_C)
        self.ledger = Ledger()
        self.house_kw = 0.0
        self.grid_kw = 0.0
        self.import_kwh = 0.0
        self.export_kwh = 0.0

    def step(self, now: float, dt: float, outside: Conditions) -> None:
        """Live for ``dt`` seconds from ``now``."""
        self.hybrid.ct_kw = self.grid_kw
        self.hybrid.step(now, dt)
        self.inverter.step(now, dt, outside.sun, outside.outdoor_c)
        self.charger.step(now, dt, outside.trip)
        self.pump.step(now, dt, outside.outdoor_c, outside.heat_kw)
        self.house_kw = outside.house_kw
        powers = self.powers()
        grid = self.grid_kw = powers[0]
        if grid > 0:
            self.import_kwh += grid * dt / 3600.0
        else:
            self.export_kwh -= grid * dt / 3600.0
        self.ledger.step(powers, dt, outside.price, FEED_IN_EUR_PER_KWH)

    def powers(self) -> Powers:
        """Mean powers of the last step, the grid's first."""
        battery, solar = self.hybrid.battery.power_kw, self.inverter.power_kw
        car, heating = self.charger.power_kw, self.pump.power_kw
        grid = battery + solar + car + heating + self.house_kw
        return grid, battery, solar, car, heating, self.house_kw

    def phases_kw(self) -> tuple[float, float, float]:
        """The meter's three phases; they sum up to its total."""
        even = (self.hybrid.battery.power_kw + self.inverter.power_kw + self.pump.power_kw) / 3.0
        car, legs = self.charger.power_kw, self.charger.phases
        one, two, three = (
            even + share * self.house_kw + (car / legs if phase < legs else 0.0)
            for phase, share in enumerate(_LOAD_SHARES)
        )
        return one, two, three

    def volts(self, phase_kw: float) -> float:
        """The voltage of a phase: sags when it imports, rises when it exports."""
        return _VOLTS - _OHMS * phase_kw * 1000.0 / _VOLTS

    def stored_kwh(self) -> dict[str, float]:
        """Energy inside the storages: electricity in the cells, heat in the buffer."""
        return {
            "battery": self.hybrid.battery.soc_kwh,
            "car": self.charger.car.soc_kwh,
            "heating": self.pump.stored_kwh,
        }


def stored_value_eur(change_kwh: dict[str, float], price: float, cop: float) -> float:
    """What a change of stored energy is worth at ``price`` (EUR/kWh, the mean of the run).

    The battery's energy replaces bought electricity when it comes out, less the loss on the way;
    the car's and the buffer's would have to be bought: with the charging loss, or at ``cop``.
    """
    return price * (
        change_kwh["battery"] * BATTERY_EFFICIENCY
        + change_kwh["car"] / CAR_EFFICIENCY
        + change_kwh["heating"] / cop
    )
