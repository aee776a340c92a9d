"""Random scheduling requests: sensible ones, contradictory ones, absurd ones. By seed."""

import random
from datetime import datetime, timedelta
from typing import Any

from tests.optim.checker import check
from tests.optim.checking.further import FIELDS
from tests.optim.further import Further

START = datetime.fromisoformat("2026-11-24T00:00:00+01:00")
Json = dict[str, Any]


def sensible(seed: int) -> Json:
    """A request that FlexMeasures would understand; its wishes may still contradict each other."""
    r = random.Random(seed)
    minutes = r.choice([15, 15, 30, 60])
    n = r.choice([4, 8, 12, 24])
    case = _Case(r, minutes, n)
    model = case.model()
    context = case.context()
    return {
        "sensors": case.sensors,
        "series": case.series,
        "level": "asset",
        "scheduling-resolution": f"PT{minutes}M",
        "request": {
            "start": START.isoformat(),
            "duration": f"PT{minutes * n}M",
            "flex-model": model,
            "flex-context": context,
        },
    }


def wrong_with(case: Json, answer: Json) -> list[str]:
    """What does not hold of an answer, by the checker: limits that were given up, it may break."""
    verdict = check(case, answer)
    relaxed = answer["status"] == "relaxed" or any(
        "soc-m" in told and "missed" in told and "minima" not in told and "maxima" not in told
        for told in answer["breaches"]
    )
    found = [str(one) for one in (verdict.laws if relaxed else verdict.violations)]
    if answer["status"] != "relaxed":
        found += [
            f"{name}: {pair}" for name, pair in verdict.differs(answer["commitment-costs"]).items()
        ]
    return found


def absurd(seed: int) -> Json:
    """A sensible request with something wrong in some place of it."""
    r = random.Random(seed)
    data = sensible(seed)
    for _ in range(r.choice([1, 1, 2, 4])):
        _spoil(r, data)
    return data


_JUNK: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, -1e308, 2**80, "", " ", "5", "kW", "5 kw", "-5 kW", "1e400 kW",
    "NaN kW", "inf kW", "5 parsecs", "0 kWh", "1e12 kWh", "101%", "-3%", "0%", [], {}, [[]],
    {"sensor": "nobody"}, {"sensor": None}, {"sensor": "load", "default": "x"}, [{"value": "5 kW"}],
    [{"start": "2026-11-24T00:00:00+01:00", "duration": "-PT1H", "value": "5 kW"}],
    [{"datetime": "yesterday", "value": "5 kWh"}], "PT0H", "P9999Y", "PT1S", "P1D", "-PT1H",
    "2026-11-24T00:00:00", "2026-11-24T00:07:31+01:00", "9999-12-31T23:59:59+00:00",
    [{"consumption-range": ["2 kW", "1 kW"]}], [{"consumption-range": ["1 kW", "2 kW"]}],
    "300 EUR/MWh", "3 USD/kWh", "-5 EUR/kWh", {"asset": "x"}, "SHIFTABLE", float("nan"),
)  # fmt: skip


_ADDED = (
    "soc_max", "power", "group", "commodity", "asset", "runs", "coupling", *sorted(FIELDS),
    "site-phase-capacity", "inflexible-phases", "scenarios", "risk-weight",
)  # fmt: skip


def _spoil(r: random.Random, data: Json) -> None:
    """Replace, drop, add or double something in a random place."""
    place: Any = data.get("request")
    if r.random() < 0.15 or not isinstance(place, dict | list) or not place:
        place = data
    while True:
        inner = [v for v in (place.values() if isinstance(place, dict) else place)
                 if isinstance(v, dict | list) and v]  # fmt: skip
        if not inner or r.random() < 0.3:
            break
        place = r.choice(inner)
    junk = r.choice(_JUNK)
    if isinstance(place, dict):
        action = r.randrange(4)
        key = r.choice(list(place))
        if action == 0:
            del place[key]
        elif action == 1:
            place[r.choice(_ADDED)] = junk
        else:
            place[key] = junk
    elif r.random() < 0.5:
        place.append(r.choice(place))
    else:
        place[r.randrange(len(place))] = junk


class _Case:
    def __init__(self, r: random.Random, minutes: int, n: int) -> None:
        self.r, self.minutes, self.n = r, minutes, n
        self.further = Further(r, START, minutes, n)
        self.sensors: Json = {}
        self.series: Json = {}

    def sensor(self, name: str, unit: str, values: list[float | None] | None, every: int) -> Json:
        self.sensors[name] = {"unit": unit, "resolution": f"PT{every}M"}
        if values is not None:
            self.series[name] = {"start": START.isoformat(), "resolution": f"PT{every}M",
                                 "unit": unit, "values": values}  # fmt: skip
        return {"sensor": name}

    def data(self, name: str, unit: str, low: float, high: float, *, gaps: bool = False) -> Json:
        every = self.r.choice([15, self.minutes, 60])
        count = -(-self.minutes * self.n // every)
        values: list[float | None] = [round(self.r.uniform(low, high), 3) for _ in range(count)]
        if gaps and count > 1:
            values[self.r.randrange(count)] = None
        return self.sensor(name, unit, values, every)

    def tick(self, lowest: int = 1) -> str:
        step = self.r.randint(lowest, self.n)
        return (START + step * timedelta(minutes=self.minutes)).isoformat()

    def maybe(self, chance: float = 0.5) -> bool:
        return self.r.random() < chance

    def kw(self, low: float, high: float) -> str:
        value = self.r.uniform(low, high)
        return f"{value:.3f} kW" if self.maybe(0.8) else f"{value * 1000:.1f} W"

    def power(self, low: float, high: float) -> Any:
        if self.maybe(0.7):
            return self.kw(low, high)
        middle = self.tick()
        end = (START + self.n * timedelta(minutes=self.minutes)).isoformat()
        return [{"start": START.isoformat(), "end": middle, "value": self.kw(low, high)},
                {"start": middle, "end": end, "value": self.kw(low, high)}]  # fmt: skip

    def storage(self, name: str) -> Json:
        r = self.r
        size = r.uniform(2, 30)
        entry: Json = {
            **self.sensor(name, "kW", None, self.minutes),
            "soc-at-start": f"{r.uniform(-0.1 if self.maybe(0.1) else 0, 1.0) * size:.3f} kWh",
            "soc-max": f"{size:.3f} kWh",
            "power-capacity": self.kw(0.5, 12),
        }
        if self.maybe():
            entry["soc-min"] = f"{r.uniform(0, 0.5) * size:.3f} kWh"
        if self.maybe(0.4):
            entry["roundtrip-efficiency"] = f"{r.uniform(50, 100):.1f}%"
        elif self.maybe():
            entry["charging-efficiency"] = f"{r.choice([90, 95, 300])}%"
        if self.maybe(0.3):
            entry["production-capacity"] = "0 kW"
        if self.maybe(0.2):
            entry["storage-efficiency"] = f"{r.uniform(90, 100):.2f}%"
        if self.maybe(0.3):
            entry["soc-usage"] = [self.power(0, 2)]
        for kind in ("minima", "maxima", "targets"):
            if self.maybe(0.3):
                asked = f"{r.uniform(0, 1.2) * size:.3f} kWh"
                entry[f"soc-{kind}"] = [{"datetime": self.tick(), "value": asked}]
        if self.maybe(0.15):
            entry["operation-modes"] = [{"consumption-range": ["0 kW", "0 kW"]},
                                        {"consumption-range": ["1 kW", "12 kW"]}]  # fmt: skip
        if self.maybe(0.2):
            entry["consumption-capacity"] = self.power(0, 6)
        self.further.of_storage(entry, size)
        if self.maybe(0.3):
            self.sensors[f"{name}-soc"] = {"unit": "kWh", "resolution": "PT0M", "on": name}
            entry["state-of-charge"] = {"sensor": f"{name}-soc"}
        return entry

    def model(self) -> list[Json]:
        entries = [self.storage(f"storage{i}") for i in range(self.r.choice([1, 1, 2, 3]))]
        if self.maybe(0.4):
            entries.append({
                **self.sensor("pv", "kW", None, self.minutes),
                "consumption-capacity": "0 kW",
                "production-capacity": self.data("sun", "kW", 0, 8),
            })  # fmt: skip
        if self.maybe(0.2):
            self.sensor("wash", "kW", None, self.minutes)
            entries.append(self.further.task("wash"))
        if len(entries) > 1 and self.maybe(0.3):
            self.sensor("inverter", "kW", None, self.minutes)
            for entry in entries:
                entry["group"] = {"sensor": "inverter"}
            entries.append({"sensor": "inverter", "power-capacity": self.kw(1, 10)})
        return entries

    def context(self) -> Json:
        low = self.r.choice([0.01, 0.01, -0.2])
        context: Json = {"consumption-price": self.data("price", "EUR/kWh", low, 0.6)}
        if self.maybe():
            context["production-price"] = self.r.choice(["0.05 EUR/kWh", "80 EUR/MWh"])
        if self.maybe(0.6):
            context["inflexible-consumption"] = [self.data("load", "kW", 0, 9, gaps=self.maybe())]
        for way in ("consumption", "production"):
            if self.maybe(0.25):
                context[f"site-{way}-capacity"] = self.power(0, 10)
        if self.maybe(0.2):
            context["site-power-capacity"] = self.kw(3, 20)
        if self.maybe(0.2):
            context["site-peak-consumption-price"] = f"{self.r.uniform(0, 3):.2f} EUR/kW"
            context["site-peak-consumption"] = self.kw(0, 5)
        if self.maybe(0.2):
            context["relax-constraints"] = False
        if self.maybe(0.15):
            context["commitments"] = [
                {
                    "name": "position",
                    "baseline": self.kw(-3, 5),
                    "up-price": "0.07 EUR/kWh",
                    "down-price": "-0.02 EUR/kWh",
                }
            ]
        self.further.around(context)
        return context
