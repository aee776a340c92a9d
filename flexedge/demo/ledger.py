"""What a run has cost and done so far: the true energies, money and broken promises."""

from flexedge.demo.place import LIMIT_KW

GRACE_S = 5.0
"""Time above the limit that each excursion has for free."""
SENSORS = (
    "grid.power", "battery.power", "solar.power", "car.power", "heating.power", "house.power",
)  # fmt: skip
Powers = tuple[float, float, float, float, float, float]
"""Mean powers of a step in the order of ``SENSORS``, kW, consumption positive."""


class Excursions:
    """Counts the time above a limit, beyond a grace at the start of each excursion."""

    def __init__(self, limit_kw: float = LIMIT_KW, grace_s: float = GRACE_S) -> None:
        self.limit_kw = limit_kw
        self.grace_s = grace_s
        self.exceeded_s = 0.0
        self._lasted_s = 0.0

    def step(self, power_kw: float, dt: float) -> None:
        """Count ``dt`` seconds at ``power_kw``."""
        if power_kw <= self.limit_kw:
            self._lasted_s = 0.0
            return
        before = max(self._lasted_s - self.grace_s, 0.0)
        self._lasted_s += dt
        self.exceeded_s += max(self._lasted_s - self.grace_s, 0.0) - before


class Ledger:
    """Sums over a run. Energies in kWh, money in EUR."""

    def __init__(self) -> None:
        self.net_kws = [0.0] * len(SENSORS)
        """Signed energy by sensor, in kW seconds."""
        self.gross_kws = [0.0] * len(SENSORS)
        """Energy whichever way it went, in kW seconds."""
        self.import_kwh = 0.0
        self.export_kwh = 0.0
        self.cost_eur = 0.0
        self.over = Excursions()

    def step(self, powers: Powers, dt: float, price: float, feed_in: float) -> None:
        """Add ``dt`` seconds."""
        net, gross = self.net_kws, self.gross_kws
        for i, power in enumerate(powers):
            energy = power * dt
            net[i] += energy
            gross[i] += abs(energy)
        grid = powers[0]
        if grid > 0:
            energy = grid * dt / 3600.0
            self.import_kwh += energy
            self.cost_eur += energy * price
        else:
            energy = -grid * dt / 3600.0
            self.export_kwh += energy
            self.cost_eur -= energy * feed_in
        self.over.step(grid, dt)

    def energies_kwh(self) -> dict[str, float]:
        """Signed energy by sensor."""
        return {name: kws / 3600.0 for name, kws in zip(SENSORS, self.net_kws, strict=True)}

    def throughput_kwh(self) -> dict[str, float]:
        """Energy by sensor, whichever way it went."""
        return {name: kws / 3600.0 for name, kws in zip(SENSORS, self.gross_kws, strict=True)}
