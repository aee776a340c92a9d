"""Random further fields (beyond FlexMeasures') for the entries and context of a request."""

import random
from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]


class Further:
    """Adds fields to what a case has already."""

    def __init__(self, r: random.Random, start: datetime, minutes: int, n: int) -> None:
        self.r, self.start, self.minutes, self.n = r, start, minutes, n

    def maybe(self, chance: float) -> bool:
        return self.r.random() < chance

    def kw(self, low: float, high: float) -> str:
        return f"{self.r.uniform(low, high):.3f} kW"

    def span(self, longest: int) -> str:
        return f"PT{self.r.randint(1, longest) * self.minutes}M"

    def of_storage(self, entry: Json, size: float) -> None:
        """What a storage and its device may be and cost."""
        r = self.r
        if self.maybe(0.3):
            entry["soc-value-at-end"] = r.choice([
                f"{r.uniform(-0.05, 0.4):.3f} EUR/kWh",
                [{"up-to": f"{size / 3:.3f} kWh", "value": "0.3 EUR/kWh"},
                 {"up-to": f"{size / 2:.3f} kWh", "value": "0.1 EUR/kWh"}],
                [{"up-to": "40%", "value": "0.3 EUR/kWh"}, {"value": "0.05 EUR/kWh"}],
            ])  # fmt: skip
        if self.maybe(0.2):
            entry["wear-cost"] = f"{r.uniform(0, 0.1):.3f} EUR/kWh"
        if self.maybe(0.2):
            entry["priority"] = r.choice([-1, 1, 2.5])
        if self.maybe(0.2):
            entry["phases"] = r.choice(["L1", "L2", "L1L3", "L1L2L3"])
        if self.maybe(0.15):
            self._ramps(entry)
        if self.maybe(0.2):
            self._curves(entry, size)
        if "operation-modes" not in entry and self.maybe(0.2):
            self._bands(entry)
            if self.maybe(0.5):
                self._starts(entry)

    def _ramps(self, entry: Json) -> None:
        for way in ("up", "down"):
            if self.maybe(0.7):
                entry[f"ramp-{way}-limit"] = self.r.choice(["3 kW/h", "30 kW/h", "100 W/min"])
        if self.maybe(0.6):
            entry["power-at-start"] = self.r.choice(["0 kW", self.kw(0, 6), self.kw(-6, 0)])

    def _curves(self, entry: Json, size: float) -> None:
        end = self.r.choice([0.9, 1.0, 1.0])
        if self.maybe(0.6):
            entry["charging-power-curve"] = [
                {"soc": f"{0.6 * size:.3f} kWh", "power": self.kw(1, 8)},
                {"soc": f"{end * size:.3f} kWh", "power": self.r.choice(["0 kW", "0.5 kW"])},
            ]
        if self.maybe(0.4):
            entry["discharging-power-curve"] = [
                {"soc": "0 kWh", "power": "0.2 kW"}, {"soc": "50%", "power": self.kw(1, 8)},
            ]  # fmt: skip
        plain = not {"roundtrip-efficiency", "charging-efficiency"} & entry.keys()
        if plain and self.maybe(0.4):
            entry["part-load-efficiency"] = [
                {"power": "1 kW", "efficiency": self.r.choice([2.0, 0.9])},
                {"power": "3 kW", "efficiency": self.r.choice([3.0, 1.5, 0.8])},
            ]

    def _bands(self, entry: Json) -> None:
        if self.maybe(0.6):
            entry["minimum-power"] = self.r.choice(["0.5 kW", "1.4 kW", "6 kW"])
        else:
            entry["power-steps"] = self.r.choice([
                ["1.4 kW", "2.3 kW", "3.7 kW"], ["2 kW", "-2 kW"], ["1 kW"],
            ])  # fmt: skip
            for way in ("up", "down"):
                entry.pop(f"ramp-{way}-limit", None)

    def _starts(self, entry: Json) -> None:
        if self.maybe(0.4):
            entry["start-up-cost"] = self.r.choice(["0.2 EUR", 1])
        if self.maybe(0.5):
            entry["minimum-up-time"] = self.span(4)
        if self.maybe(0.5):
            entry["minimum-down-time"] = self.span(4)
        if self.maybe(0.3) or not {"minimum-up-time", "minimum-down-time"} & entry.keys():
            entry["maximum-starts-per-day"] = self.r.choice([1, 2, 5])
            if self.maybe(0.3):
                entry["starts-today"] = 1
        if self.maybe(0.4):
            if "power-at-start" not in entry:
                entry["on-at-start"] = self.maybe(0.5)
            ago = timedelta(minutes=self.minutes * self.r.choice([0.5, 1, 3]))
            entry["last-switched"] = (self.start - ago).isoformat()

    def task(self, name: str) -> Json:
        """A process."""
        r = self.r
        slots = r.randint(1, max(self.n // 3, 1))
        kind = r.choice(["INFLEXIBLE", "BREAKABLE", "SHIFTABLE"])
        entry: Json = {"sensor": name, "power": self.kw(0.3, 3), "process-type": kind,
                       "duration": f"PT{slots * self.minutes}M"}  # fmt: skip
        if self.maybe(0.4) and 2 * slots <= self.n:
            entry["runs"] = 2
        step = timedelta(minutes=self.minutes)
        if self.maybe(0.4):
            entry["deadline"] = (self.start + r.randint(self.n // 2, self.n) * step).isoformat()
        if self.maybe(0.3):
            since = self.start + r.randrange(self.n) * step
            entry["time-restrictions"] = [{"start": since.isoformat(), "duration": self.span(2)}]
        if self.maybe(0.2):
            entry["optimization-sense"] = "MAX"
        return entry

    def around(self, context: Json) -> None:
        """What a context may say beyond."""
        r = self.r
        if self.maybe(0.15):
            context["site-phase-capacity"] = self.kw(3, 8)
            if self.maybe(0.5):
                context["inflexible-phases"] = r.choice([[1, 0, 0], [0.5, 0.3, 0.2]])
        if self.maybe(0.1):
            context["site-peak-production-price"] = "2 EUR/kW"
            context["site-peak-production"] = self.kw(0, 3)
        if self.maybe(0.1):
            context["scenarios"] = [
                {"probability": 0.3, "consumption-price": f"{r.uniform(0.01, 0.9):.2f} EUR/kWh"}
            ]
            context["risk-weight"] = r.choice([0, 0.5, 1])
