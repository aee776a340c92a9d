"""An independent check of answers: from a request and its outputs alone, sharing no code.

It reads sensors, series and fields anew, replays every stock, adds up every commitment, and lists
what does not hold. Outputs are rounded to 6 decimals: so near is near enough.
"""

import math
import re
from datetime import datetime, timedelta
from typing import Any

import numpy as np

NEAR = 2e-4  # kW, kWh: rounding of outputs, summed over a day of steps
PER = {"W": 1e-3, "kW": 1.0, "MW": 1e3, "VA": 1e-3, "kVA": 1.0, "MVA": 1e3,
       "Wh": 1e-3, "kWh": 1.0, "MWh": 1e3, "%": 1e-2, "": 1.0}  # fmt: skip
Array = Any


def factor(unit: str) -> float:
    """From a unit to kW, kWh, shares, and money per these."""
    if "/" in unit:
        return 1.0 / PER[unit.split("/")[1]]
    return PER[unit]


def length(text: str) -> timedelta:
    """An ISO 8601 duration of days, hours, minutes and seconds."""
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text)
    assert match is not None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


class Check:
    """One request and its answer."""

    def __init__(self, case: dict[str, Any], answer: dict[str, Any]) -> None:
        self.case, self.answer = case, answer
        request = case["request"]
        self.step = length(request.get("resolution") or case["scheduling-resolution"])
        self.start = datetime.fromisoformat(request["start"])
        self.n = int(length(request.get("duration", "PT48H")) / self.step)
        self.hours = self.step / timedelta(hours=1)
        self.model = request["flex-model"]
        self.context = request["flex-context"]
        self.times = [self.start + j * self.step for j in range(self.n + 1)]
        self.wrong: list[str] = []
        self.costs: dict[str, float] = {}

    # --- reading ------------------------------------------------------------------------------

    def number(self, raw: Any) -> float:
        if isinstance(raw, int | float):
            return float(raw)
        number, _, unit = raw.strip().partition(" ")
        if number.endswith("%"):
            number, unit = number[:-1], "%"
        return float(number) * factor(unit)

    def stored(self, name: str) -> Array:
        raw = self.case["series"].get(name)
        values = np.full(self.n, np.nan)
        if raw is None:
            return values
        start, every = datetime.fromisoformat(raw["start"]), length(raw["resolution"])
        known = np.array([math.nan if v is None else v for v in raw["values"]]) * factor(
            raw["unit"]
        )
        for j in range(self.n):
            parts = max(int(self.step / every), 1)
            seen = []
            for part in range(parts):
                k = (self.times[j] + part * every - start) // every
                if 0 <= k < len(known) and not math.isnan(known[k]):
                    seen.append(known[k])
            if seen:
                values[j] = sum(seen) / len(seen)
        return values

    def listed(self, segments: list[dict[str, Any]], take: str) -> Array:
        values = np.full(self.n, np.nan)
        for segment in segments:
            start = datetime.fromisoformat(segment["start"])
            end = datetime.fromisoformat(segment["end"]) if "end" in segment else (
                start + length(segment["duration"]))  # fmt: skip
            value = self.number(segment["value"])
            for j in range(self.n):
                if self.times[j] >= start and self.times[j + 1] <= end:
                    old = values[j]
                    if math.isnan(old):
                        values[j] = value
                    elif take != "first":
                        values[j] = min(old, value) if take == "min" else max(old, value)
        return values

    def series(self, raw: Any, take: str = "first") -> Array:
        if isinstance(raw, dict):
            values = self.stored(raw["sensor"])
            if "default" in raw:
                values = np.where(np.isnan(values), self.number(raw["default"]), values)
            return values
        if isinstance(raw, list):
            return self.listed(raw, take)
        return np.full(self.n, self.number(raw))

    def price(self, raw: Any) -> Array:
        values = self.series(raw)
        known = [j for j in range(self.n) if not math.isnan(values[j])]
        return np.array([values[min(known, key=lambda k: (abs(k - j), k))] for j in range(self.n)])

    def out(self, name: str) -> Array:
        """An output on the grid of the schedule, in kW or kWh."""
        told = self.answer["outputs"][name]
        return np.array(told["values"], dtype=float) * factor(told["unit"])

    def miss(self, what: str, beyond: Array) -> None:
        worst = float(np.max(beyond, initial=0.0))
        if worst > NEAR:
            self.wrong.append(f"{what} by {worst:.6f} in step {int(np.argmax(beyond))}")

    # --- devices ------------------------------------------------------------------------------

    def limits(self, entry: dict[str, Any]) -> tuple[Array, Array]:
        whole = self.series(entry["power-capacity"], "min") if "power-capacity" in entry else None
        ways = {}
        for way in ("consumption", "production"):
            key = f"{way}-capacity"
            ways[way] = self.series(entry[key], "min") if key in entry else None
        up, down = ways["consumption"], ways["production"]
        if up is not None and down is None and np.nan_to_num(up, nan=1.0).any():
            down = np.zeros(self.n)
        elif down is not None and up is None and np.nan_to_num(down, nan=1.0).any():
            up = np.zeros(self.n)
        if whole is None:
            given = [way for way in (up, down) if way is not None]
            if given and np.nan_to_num(np.array(given)).any():
                whole = np.fmax.reduce(given)
            else:
                whole = self.series(self.context["site-power-capacity"], "min")
        up, down = (whole if w is None else np.clip(np.where(np.isnan(w), whole, w), 0, whole)
                    for w in (up, down))  # fmt: skip
        return up, down

    def device(self, entry: dict[str, Any]) -> Array:
        kw = self.out(entry["sensor"])
        up, down = self.limits(entry)
        if not self.soft("consumption-breach-price"):
            self.miss(f"{entry['sensor']} draws too much", kw - up)
        if not self.soft("production-breach-price"):
            self.miss(f"{entry['sensor']} gives too much", -kw - down)
        bands = []
        for mode in entry.get("operation-modes", []):
            low, high = 0.0, 0.0
            if "consumption-range" in mode:
                low, high = (self.number(end) for end in mode["consumption-range"])
            if "production-range" in mode:
                first, last = (self.number(end) for end in mode["production-range"])
                low, high = -last, (high if "consumption-range" in mode else -first)
            bands.append((low, high))
        if bands:
            away = np.min([np.maximum(np.maximum(low - kw, kw - high), 0) for low, high in bands],
                          axis=0)  # fmt: skip
            self.miss(f"{entry['sensor']} lies between its modes", away)
        return kw

    def soft(self, key: str) -> bool:
        return key in self.context or bool(self.context.get("relax-capacity-constraints"))

    def share(self, entry: dict[str, Any], key: str) -> Array:
        values = self.series(entry[key]) if key in entry else np.ones(self.n)
        return np.where(np.isnan(values), 1.0, values)

    def stock(self, owner: dict[str, Any], feeders: list[dict[str, Any]]) -> None:
        """Replay a stock from the powers and check what was asked of it."""
        first = self.case["sensors"][feeders[0]["sensor"]]
        kept = self.share(owner, "storage-efficiency")
        kept = np.clip(kept, 0, 1) ** (self.step / length(first["resolution"]))
        flow = np.zeros(self.n)
        for entry in feeders:
            kw = self.out(entry["sensor"])
            if "roundtrip-efficiency" in entry:
                charging = discharging = self.share(entry, "roundtrip-efficiency") ** 0.5
            else:
                charging = self.share(entry, "charging-efficiency")
                discharging = self.share(entry, "discharging-efficiency")
            flow += np.where(kw > 0, kw * charging, kw / discharging)
        for raw in owner.get("soc-usage", []):
            flow -= np.nan_to_num(self.series(raw))
        for raw in owner.get("soc-gain", []):
            flow += np.nan_to_num(self.series(raw))
        soc = [self.number(owner["soc-at-start"])]
        for j in range(self.n):
            a = kept[j]
            b = 1.0 if a == 1 else ((a - 1) / math.log(a) if a > 0 else 0.0)
            soc.append(a * soc[-1] + b * flow[j] * self.hours)
        path = np.array(soc)
        name = feeders[0]["sensor"]
        if "state-of-charge" in owner:
            told = self.out(owner["state-of-charge"]["sensor"])
            self.miss(f"{name}: told and replayed state of charge differ", np.abs(told - path))
        band = {"soc-min": -1.0, "soc-max": 1.0}
        for key, sign in band.items():
            if key in owner and self.answer["status"] != "relaxed" and self.starts_inside(owner):
                self.miss(f"{name} leaves {key}", sign * (path[1:] - self.number(owner[key])))
        self.stock_costs(owner, path)

    def starts_inside(self, owner: dict[str, Any]) -> bool:
        start = self.number(owner["soc-at-start"])
        above = start >= self.number(owner.get("soc-min", "0 kWh"))
        told = " ".join(self.answer.get("breaches", []))
        fine = "soc-min is missed" not in told and "soc-max is missed" not in told
        return above and fine and start <= self.number(owner.get("soc-max", "1e9 kWh"))

    def stock_costs(self, owner: dict[str, Any], path: Array) -> None:
        relaxed = self.context.get("relax-soc-constraints",
                                   self.context.get("relax-constraints", True))  # fmt: skip
        prices = {}
        for key in ("minima", "maxima"):
            name = f"soc-{key}-breach-price"
            if name in self.context:
                prices[key] = self.number(self.context[name])
            elif relaxed:
                prices[key] = 1000.0
        for kind, sign, price in (
            ("minima", -1.0, prices.get("minima")), ("maxima", 1.0, prices.get("maxima")),
            ("targets", -1.0, prices.get("minima")), ("targets", 1.0, prices.get("maxima")),
        ):  # fmt: skip
            asked = self.asked(owner.get(f"soc-{kind}", []), kind)
            beyond = np.maximum(sign * (path[1:] - asked), 0.0)
            beyond[np.isnan(asked)] = 0.0
            hard = price is None or (kind == "targets" and len(prices) < len(("up", "down")))
            if hard:
                if self.answer["status"] != "relaxed":
                    self.miss(f"soc-{kind} missed although hard", beyond)
                continue
            if f"soc-{kind}" in owner:
                self.add(f"any soc {kind}", price * sum(self.tops(asked, beyond)))
                self.add(f"all soc {kind}", price * beyond.sum() * self.hours)

    def asked(self, segments: list[dict[str, Any]], kind: str) -> Array:
        values = np.full(self.n, np.nan)
        for segment in segments:
            if "datetime" in segment:
                start = end = datetime.fromisoformat(segment["datetime"])
            else:
                start = datetime.fromisoformat(segment["start"])
                end = datetime.fromisoformat(segment["end"])
            value = self.number(segment["value"])
            for j in range(self.n):
                if start <= self.times[j + 1] <= end:
                    old = values[j]
                    both = {"minima": max, "maxima": min}.get(kind, lambda first, _: first)
                    values[j] = value if math.isnan(old) else both(old, value)
        return values

    def tops(self, limit: Array, beyond: Array) -> list[float]:
        """The largest excess of each run of equal limits."""
        tops: list[float] = []
        for j in range(self.n):
            if math.isnan(limit[j]):
                continue
            if j and limit[j] == limit[j - 1] and tops:
                tops[-1] = max(tops[-1], float(beyond[j]))
            else:
                tops.append(float(beyond[j]))
        return tops

    # --- the site -----------------------------------------------------------------------------

    def add(self, name: str, cost: float) -> None:
        self.costs[name] = self.costs.get(name, 0.0) + float(cost)

    def site(self, devices: Array) -> None:
        context = self.context
        net = devices.copy()
        for key, sign in (("inflexible-consumption", 1.0), ("inflexible-production", -1.0)):
            for reference in context.get(key, []):
                net += sign * np.nan_to_num(self.series(reference))
        bought = self.price(context["consumption-price"])
        sold = self.price(context["production-price"]) if "production-price" in context else bought
        up, down = np.maximum(net, 0), np.maximum(-net, 0)
        self.add("electricity net energy", float(bought @ up - sold @ down) * self.hours)
        hard = np.full(self.n, np.inf)
        if "site-power-capacity" in context:
            hard = self.series(context["site-power-capacity"], "min")
            if self.answer["status"] != "relaxed":
                self.miss("the site exceeds its power capacity", np.abs(net) - hard)
        relaxed = context.get("relax-site-capacity-constraints",
                              context.get("relax-constraints", True))  # fmt: skip
        for way, flow in (("consumption", up), ("production", down)):
            key, limit = f"site-{way}-capacity", hard
            if key in context:
                limit = np.fmin(self.series(context[key], "min"), hard)
            if f"site-{way}-breach-price" in context:
                price = self.number(context[f"site-{way}-breach-price"])
            elif relaxed:
                price = 10_000.0
            else:
                if self.answer["status"] != "relaxed":
                    self.miss(f"the site exceeds its hard {way} capacity", flow - limit)
                continue
            beyond = np.maximum(flow - limit, 0.0)
            beyond[beyond < NEAR / 100] = 0.0
            self.add(f"electricity any {way} breach", price * sum(self.tops(limit, beyond)))
            self.add(f"electricity all {way} breaches", price * beyond.sum() * self.hours)
        for way, flow in (("consumption", up), ("production", down)):
            if f"site-peak-{way}-price" in context:
                paid = self.number(context.get(f"site-peak-{way}", "0 kW"))
                above = max(float(flow.max()) - paid, 0.0)
                price = self.number(context[f"site-peak-{way}-price"])
                self.add(f"electricity {way} peak", price * above)
        for one in context.get("commitments", []):
            away = net - self.series(one["baseline"])
            for key, deviation in (("up-price", np.maximum(away, 0)),
                                   ("down-price", np.minimum(away, 0))):  # fmt: skip
                if key in one:
                    self.add(one["name"], float(self.series(one[key]) @ deviation) * self.hours)
        self.compare()

    def compare(self) -> None:
        """The costs told are those that follow from the outputs."""
        moved = 1.0 + sum(abs(cost) for cost in self.costs.values())
        for name, cost in self.costs.items():
            told = self.answer["commitment-costs"].get(name, 0.0)
            if "breach" in name and self.answer["status"] == "relaxed":
                continue  # what the wires can bear was given up, too: told as such
            slack = 1e-3 * moved if "breach" in name or "soc" in name else 1e-4 * moved
            if abs(told - cost) > slack:
                self.wrong.append(f"{name} costs {cost:.6f}, told {told:.6f}")

    def groups(self, powers: dict[str, Array]) -> None:
        for entry in self.model:
            if self.role(entry) != "group":
                continue
            total = sum(
                kw
                for e in self.model
                for name, kw in powers.items()
                if e.get("sensor") == name and e.get("group") == {"sensor": entry["sensor"]}
            )
            if "power-capacity" in entry and self.answer["status"] != "relaxed":
                limit = self.series(entry["power-capacity"], "min")
                self.miss(f"group {entry['sensor']} exceeds its capacity", np.abs(total) - limit)
            self.miss(f"group {entry['sensor']} is not the sum of its members",
                      np.abs(self.out(entry["sensor"]) - total))  # fmt: skip

    def role(self, entry: dict[str, Any]) -> str:
        wanted = [e["group"]["sensor"] for e in self.model if "group" in e]
        if entry.get("sensor") in wanted:
            return "group"
        return "device" if "sensor" in entry else "stock"

    def run(self) -> list[str]:
        """All that is wrong, in words."""
        powers: dict[str, Array] = {}
        for entry in self.model:
            if self.role(entry) == "device":
                powers[entry["sensor"]] = self.device(entry)
        for entry in self.model:
            if "soc-at-start" not in entry:
                continue
            soc = entry.get("state-of-charge")
            feeders = [e for e in self.model if self.role(e) == "device"
                       and (e is entry or (soc and e.get("state-of-charge") == soc))]  # fmt: skip
            self.stock(entry, feeders)
        self.groups(powers)
        self.site(sum(powers.values(), start=np.zeros(self.n)))
        return self.wrong


def check(case: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """What is wrong with an answer (not asked with ``compat``) to a request about electricity."""
    return Check(case, answer).run()
