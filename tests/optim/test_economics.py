"""What further fields are worth: plans against everything that could have been done instead.

Each test writes a small problem in the format of a problem file, has it solved, and compares its
cost with the best of an exhaustive search over on and off, starts, or powers on a grid.
"""

import itertools
import random
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.optim.checker import check
from tests.optim.request.asking import answer, at, problem, series

Json = dict[str, Any]
HARD = {"relax-constraints": False}
TIGHT = 1e-5


def pump(least: float = 0.0, start: float = 4.0, use: float = 2.0, **entry: Any) -> Json:
    """A heat pump of 4 kW with a tank of 8 kWh, from which 2 kW flow."""
    kebab = {key.replace("_", "-"): value for key, value in entry.items()}
    return {"sensor": "boiler", "consumption-capacity": "4 kW", "soc-at-start": f"{start} kWh",
            "soc-min": f"{least} kWh", "soc-max": "8 kWh", "soc-usage": [f"{use} kW"],
            "power-steps": ["4 kW"], **kebab}  # fmt: skip


def told(prices: Sequence[float], *model: Json, context: Json | None = None, **more: Any) -> Json:
    """The answer, which has to satisfy the checker, too."""
    stored = {"price": series(*prices, unit="EUR/kWh"), **more.pop("stored", {})}
    around = {"consumption-price": {"sensor": "price"}, **HARD, **(context or {})}
    case = problem(list(model), around, hours=len(prices), stored=stored, **more)
    found = answer(list(model), around, hours=len(prices), stored=stored, **more)
    verdict = check(case, found)
    assert str(verdict) == "feasible"
    assert verdict.uncovered == ()
    assert found["status"] == "optimal"
    return found


def powers(found: Json, name: str = "boiler") -> list[float]:
    values: list[float] = found["outputs"][name]["values"]
    return values


def runs(pattern: Sequence[int], what: int) -> list[tuple[int, int]]:
    """Where a pattern has runs of something: first step, and the one after the last."""
    edges = [0, *(i for i in range(1, len(pattern)) if pattern[i] != pattern[i - 1]), len(pattern)]
    return [(a, b) for a, b in itertools.pairwise(edges) if pattern[a] == what]


def keeps(pattern: Sequence[int], was: int, ago: int, up: int, down: int) -> bool:
    """Whether a pattern keeps its times up and down; what the horizon cuts may be shorter."""
    for what, least in ((1, up), (0, down)):
        for a, b in runs(pattern, what):
            length = b - a + (ago if a == 0 and was == what else 0)
            if b < len(pattern) and length < least:
                return False
    return not (pattern[0] != was and ago < (up if was else down))


def starts(pattern: Sequence[int], was: int = 0) -> list[int]:
    return [i for i, on in enumerate(pattern) if on and not (pattern[i - 1] if i else was)]


def cheapest(
    prices: Sequence[float], patterns: Iterable[Sequence[int]], start: float, per_start: float,
    was: int,
) -> float:  # fmt: skip
    """Of all patterns of 4 kW with which the tank stays between 0 and 8 kWh."""
    best = np.inf
    for pattern in patterns:
        level = start + np.cumsum(4.0 * np.array(pattern) - 2.0)
        if level.min() >= -1e-9 and level.max() <= 8 + 1e-9:
            cost = 4.0 * float(np.dot(prices, pattern)) + per_start * len(starts(pattern, was))
            best = min(best, cost)
    return best


@pytest.mark.parametrize("seed", range(24))
def test_starts_and_times_are_the_best_of_all_patterns(seed: int) -> None:
    r = random.Random(seed)
    n = 8
    prices = [round(r.uniform(0.05, 0.5), 2) for _ in range(n)]
    up, down, was = r.choice([1, 2, 3, 4]), r.choice([1, 2, 3, 4]), r.choice([0, 1])
    most, before = r.choice([(9, 0), (2, 0), (2, 1), (1, 0)])
    ago, per_start = r.choice([1, 2, 5]), r.choice([0.0, 0.3])
    patterns = [
        one for one in itertools.product((0, 1), repeat=n)
        if keeps(one, was, ago, up, down) and len(starts(one, was)) + before <= most
    ]  # fmt: skip
    best = cheapest(prices, patterns, 4.0, per_start, was)
    if not np.isfinite(best):
        return
    entry = pump(
        minimum_up_time=f"PT{up}H", minimum_down_time=f"PT{down}H", maximum_starts_per_day=most,
        starts_today=before, start_up_cost=per_start, on_at_start=bool(was),
        last_switched=f"2026-11-23T{24 - ago:02d}:00:00+01:00",
    )  # fmt: skip
    assert told(prices, entry)["cost"] == pytest.approx(best, abs=TIGHT)


def test_most_seeds_have_a_solution() -> None:
    """Else the test above would be worth little."""
    possible = [
        one for one in itertools.product((0, 1), repeat=8) if keeps(one, 1, 2, 3, 2)
    ]  # fmt: skip
    assert np.isfinite(cheapest([0.1] * 8, possible, 4.0, 0.0, 1))


def test_a_minimum_down_time_holds_up_to_the_last_step() -> None:
    """Off in the dear hour and on again in the last would be cheapest, but is too short."""
    prices = [0.1, 0.1, 0.1, 0.9, 0.1]
    entry = pump(start=2.0, use=2.0, power_steps=["2 kW"], minimum_down_time="PT3H",
                 on_at_start=True)  # fmt: skip
    assert powers(told(prices, entry))[-2:] != [0.0, 2.0]
    without = pump(start=2.0, use=2.0, power_steps=["2 kW"], on_at_start=True, start_up_cost=0)
    assert powers(told(prices, without))[-2:] == [0.0, 2.0]


def test_starts_are_counted_by_the_day_of_the_site() -> None:
    """Midnight on site is after the second step; by UTC it would be after the third, too late."""
    begin = "2026-11-24T22:00:00+01:00"
    price = {**series(0.1, 0.1, 0.2, 0.3, unit="EUR/kWh"), "start": begin}
    entry = pump(maximum_starts_per_day=1, starts_today=1)
    found = told([0.0] * 4, entry, request={"start": begin}, stored={"price": price})
    assert powers(found) == pytest.approx([0, 0, 4, 0])


@pytest.mark.parametrize("seed", range(8))
def test_least_powers_are_the_best_of_all_patterns(seed: int) -> None:
    """6 A or nothing: for each pattern of on and off the cheapest hours are filled first."""
    r = random.Random(seed)
    prices = [round(r.uniform(0.05, 0.5), 2) for _ in range(6)]
    caps = [r.choice([1.0, 2.0, 4.0]) for _ in prices]
    need = round(r.uniform(2.0, 6.0), 2)
    best = np.inf
    for pattern in itertools.product((0, 1), repeat=6):
        on = [i for i, one in enumerate(pattern) if one]
        if any(caps[i] < 1.4 for i in on) or not 1.4 * len(on) <= need <= sum(caps[i] for i in on):
            continue
        left, cost = need - 1.4 * len(on), 1.4 * sum(prices[i] for i in on)
        for i in sorted(on, key=lambda i: prices[i]):
            more = min(left, caps[i] - 1.4)
            left, cost = left - more, cost + more * prices[i]
        best = min(best, cost)
    car = {"sensor": "car", "consumption-capacity": {"sensor": "cap"}, "soc-at-start": "0 kWh",
           "soc-max": "9 kWh", "minimum-power": "1.4 kW",
           "soc-targets": [{"datetime": at(6), "value": f"{need} kWh"}]}  # fmt: skip
    found = told(prices, car, stored={"cap": series(*caps)})
    assert found["cost"] == pytest.approx(best, abs=TIGHT)


@pytest.mark.parametrize("seed", range(6))
def test_power_steps_are_the_best_of_all_combinations(seed: int) -> None:
    r = random.Random(seed)
    prices = [round(r.uniform(0.05, 0.5), 2) for _ in range(5)]
    steps = [-2.0, 0.0, 1.4, 3.7]
    best = np.inf
    for some in itertools.product(steps, repeat=5):
        level = 2.0 + np.cumsum([p * 0.9 if p > 0 else p / 0.9 for p in some])
        if level.min() >= -1e-9 and level.max() <= 6 + 1e-9:
            cost = sum(p * c if p > 0 else p * 0.1 for p, c in zip(some, prices, strict=True))
            best = min(best, cost)
    entry = {"sensor": "battery", "power-capacity": "4 kW", "soc-at-start": "2 kWh",
             "soc-min": "0 kWh", "soc-max": "6 kWh", "roundtrip-efficiency": "81%",
             "power-steps": ["3.7 kW", "1.4 kW", "-2 kW"]}  # fmt: skip
    found = told(prices, entry, context={"production-price": "0.1 EUR/kWh"})
    assert found["cost"] == pytest.approx(best, abs=TIGHT)


@pytest.mark.parametrize("least", [0.0, 1.0, 1.5])
@pytest.mark.parametrize("seed", range(4))
def test_ramps_are_the_best_of_all_powers_on_a_grid(seed: int, least: float) -> None:
    """From off to the least power a device may jump; above it the ramp holds."""
    r = random.Random(seed)
    prices = [r.choice([0.1, 0.2, 0.4, 0.8]) for _ in range(5)]
    grid = [p for p in np.arange(-2.0, 2.01, 0.5) if abs(p) >= least or p == 0]

    def follows(before: float, after: float) -> bool:
        room = 0.5
        if before == 0 or after == 0:
            room = max(room, least)
        return abs(after - before) <= room + 1e-9

    best = np.inf
    for some in itertools.product(grid, repeat=5):
        level = 2.0 + np.cumsum(some)
        if level.min() < 0 or level.max() > 4:
            continue
        if all(follows(a, b) for a, b in itertools.pairwise([0.0, *some])):
            best = min(best, float(np.dot(prices, some)))
    entry = {"sensor": "battery", "power-capacity": "2 kW", "soc-at-start": "2 kWh",
             "soc-min": "0 kWh", "soc-max": "4 kWh", "ramp-up-limit": "0.5 kW/h",
             "ramp-down-limit": "0.5 kW/h", "power-at-start": "0 kW",
             "minimum-power": f"{least} kW"}  # fmt: skip
    cost = told(prices, entry)["cost"]
    assert cost <= best + TIGHT
    assert cost >= best - 0.3  # between the points of the grid


def battery(**entry: Any) -> Json:
    kebab = {key.replace("_", "-"): value for key, value in entry.items()}
    return {"sensor": "battery", "power-capacity": "2 kW", "soc-at-start": "0 kWh",
            "soc-min": "0 kWh", "soc-max": "4 kWh", **kebab}  # fmt: skip


def test_energy_is_kept_for_what_it_is_worth_at_the_end() -> None:
    """4 kWh, sold at 0.20: all of it, but where it is worth more at the end, what is worth it."""
    full = battery(soc_at_start="4 kWh", production_capacity="2 kW", consumption_capacity="0 kW")
    prices = [0.2, 0.2, 0.2]
    nothing = told(prices, full)
    assert (nothing["cost"], nothing["soc"]["battery"][-1]) == pytest.approx((-0.8, 0.0))
    kept = told(prices, {**full, "soc-value-at-end": "0.25 EUR/kWh"})
    assert kept["soc"]["battery"][-1] == pytest.approx(4.0)
    assert kept["commitment-costs"]["value of stored energy battery"] == pytest.approx(-1.0)
    falling = [{"up-to": "1 kWh", "value": "0.30 EUR/kWh"}, {"value": "0.10 EUR/kWh"}]
    some = told(prices, {**full, "soc-value-at-end": falling})
    assert some["soc"]["battery"][-1] == pytest.approx(1.0)
    assert some["cost"] == pytest.approx(-0.6 - 0.3)


def test_a_negative_value_at_the_end_empties_and_no_value_stays_finite() -> None:
    store = battery(soc_at_start="4 kWh", soc_value_at_end="-0.1 EUR/kWh")
    found = told([0.2, 0.2, 0.2], store, context={"production-price": "-0.05 EUR/kWh"})
    assert found["soc"]["battery"][-1] == pytest.approx(0.0)
    dear = told([0.2, 0.2, 0.2], store, context={"production-price": "-0.15 EUR/kWh"})
    assert dear["soc"]["battery"][-1] == pytest.approx(4.0)
    assert dear["cost"] == pytest.approx(0.4)
    capped = [{"up-to": "1 kWh", "value": "0.3 EUR/kWh"}]
    three = told([0.2], battery(soc_at_start="3 kWh", soc_value_at_end=capped),
                 context={"production-price": "0 EUR/kWh"})  # fmt: skip
    assert three["cost"] == pytest.approx(-0.3)


@pytest.mark.parametrize(("wear", "cycles"), [(0.0, 2), (0.04, 2), (0.06, 1), (0.16, 0)])
def test_wear_decides_which_spreads_are_worth_a_cycle(wear: float, cycles: int) -> None:
    """Spreads of 0.10 and 0.30: a cycle costs the wear of both ways."""
    prices = [0.1, 0.2, 0.1, 0.4]
    entry = battery(soc_max="2 kWh", wear_cost=f"{wear} EUR/kWh")
    found = told(prices, entry)
    used = sum(kw for kw in powers(found, "battery") if kw > 0)
    assert used == pytest.approx(2.0 * cycles)
    gain = {0: 0.0, 1: 0.6, 2: 0.8}[cycles]
    assert found["cost"] == pytest.approx(-gain + 4 * cycles * wear)


TAPER = [{"soc": "2 kWh", "power": "2 kW"}, {"soc": "4 kWh", "power": "0 kW"}]


@pytest.mark.parametrize("seed", range(4))
def test_a_taper_is_the_best_of_all_powers_on_a_grid(seed: int) -> None:
    """A power has to be possible at the start and at the end of its step."""
    r = random.Random(seed)
    prices = [round(r.uniform(0.05, 0.5), 2) for _ in range(4)]
    best = np.inf
    for some in itertools.product(np.arange(-2.0, 2.01, 0.25), repeat=4):
        level = np.concatenate(([1.0], 1.0 + np.cumsum(some)))
        if level.min() < 0 or level.max() > 4:
            continue
        most = np.minimum(2.0, 4.0 - level) + 1e-9
        if (np.array(some) <= np.minimum(most[:-1], most[1:])).all():
            cost = float(np.dot(prices, some)) - 0.25 * float(level[-1])
            best = min(best, cost)
    entry = battery(soc_at_start="1 kWh", charging_power_curve=TAPER,
                    soc_value_at_end="0.25 EUR/kWh")  # fmt: skip
    cost = told(prices, entry)["cost"]
    assert best - 0.1 <= cost <= best + TIGHT


def test_a_rising_curve_counts_at_the_start_of_a_step() -> None:
    """A cold or empty battery: 0.5 kW at 0 kWh, 2 kW from 3 kWh on."""
    rising = [{"soc": "0 kWh", "power": "0.5 kW"}, {"soc": "3 kWh", "power": "2 kW"}]
    entry = battery(charging_power_curve=rising, soc_value_at_end="1 EUR/kWh")
    found = powers(told([0.1, 0.1, 0.1], entry), "battery")
    assert found == pytest.approx([0.5, 0.75, 1.125])


def test_beyond_the_end_of_its_curve_a_device_does_nothing() -> None:
    """The sun fills the tank above where its heater may run: that is no contradiction."""
    curve = [{"soc": "2 kWh", "power": "2 kW"}, {"soc": "3 kWh", "power": "0 kW"}]
    entry = battery(production_capacity="0 kW", charging_power_curve=curve,
                    soc_at_start="3.5 kWh", soc_value_at_end="1 EUR/kWh",
                    soc_usage=["0.4 kW"])  # fmt: skip
    found = told([0.1, 0.1, 0.1, 0.1], {**entry, "consumption-capacity": "2 kW"})
    assert powers(found, "battery")[:2] == pytest.approx([0.0, 0.0])
    assert powers(found, "battery")[3] > 0.1


LOADS = [(0.0, 0.0), (1.0, 2.0), (2.0, 6.0)]  # kW drawn, kW stored: best at full power


@pytest.mark.parametrize("price", [0.3, -0.3])
def test_part_load_is_the_best_of_all_powers_on_a_grid(price: float) -> None:
    prices = [price, 0.2, price, 0.1]
    best = np.inf
    for some in itertools.product(np.arange(0.0, 2.01, 0.125), repeat=4):
        stored = np.interp(np.array(some), *np.array(LOADS).T)
        level = 2.0 + np.cumsum(stored - 2.0)
        if level.min() >= -1e-9 and level.max() <= 5 + 1e-9:
            best = min(best, float(np.dot(prices, some)))
    entry = pump(part_load_efficiency=[{"power": f"{x} kW", "efficiency": y / x}
                                       for x, y in LOADS[1:]],
                 start=2.0, soc_max="5 kWh", power_steps=None)  # fmt: skip
    cost = told(prices, entry)["cost"]
    assert best - 0.05 <= cost <= best + TIGHT


def test_a_plan_stays_on_the_curve_where_wasting_would_keep_a_limit() -> None:
    """Too much sun for the connection: burning it below the curve would be free."""
    loads = [{"power": "1 kW", "efficiency": 4}, {"power": "3 kW", "efficiency": 2}]
    entry = pump(part_load_efficiency=loads, start=0.0, power_steps=None, soc_max="5 kWh")
    found = answer([entry], {"consumption-price": "0.3 EUR/kWh", "site-production-capacity": "1 kW",
                             "production-price": "0.1 EUR/kWh",
                             "inflexible-production": [{"sensor": "sun"}]},
                   stored={"sun": series(4, 4, 0, 0)})  # fmt: skip
    stored = np.diff(found["soc"]["boiler"]) + 2.0
    expected = np.interp(powers(found), [0, 1, 3], [0, 4, 6])
    assert stored == pytest.approx(expected, abs=1e-5)


def inside(n: int, length: int, forbidden: Sequence[int] = (), last: int = 99) -> list[int]:
    """Where a piece may start."""
    return [s for s in range(n - length + 1)
            if s + length <= last and not set(range(s, s + length)) & set(forbidden)]  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_processes_are_the_best_of_all_starts(seed: int) -> None:
    """Two tasks, the sun and a full connection; the cost of all combinations by hand."""
    r = random.Random(seed)
    n = 7
    prices = [round(r.uniform(0.05, 0.5), 2) for _ in range(n)]
    sun = [round(r.uniform(0.0, 4.0), 1) for _ in range(n)]
    runs_ = r.choice([1, 2])
    late = r.choice([5, 6, 7])
    wash = {"sensor": "car", "power": "2 kW", "duration": "PT2H", "process-type": "SHIFTABLE",
            "runs": runs_, "deadline": at(late)}  # fmt: skip
    dry = {"sensor": "out", "power": "1 kW", "duration": "PT3H", "process-type": "BREAKABLE",
           "time-restrictions": [{"start": at(2), "duration": "PT1H"}]}  # fmt: skip
    best = np.inf
    for begun in itertools.combinations(inside(n, 2, last=late), runs_):
        if any(b - a < 2 for a, b in itertools.pairwise(begun)):
            continue
        washing = np.zeros(n)
        for s in begun:
            washing[s : s + 2] = 2.0
        for steps in itertools.combinations([i for i in range(n) if i != 2], 3):
            drying = np.zeros(n)
            drying[list(steps)] = 1.0
            net = washing + drying - sun
            if net.max() > 2.0:
                continue
            cost = np.where(net > 0, net * prices, net * 0.04)
            best = min(best, float(cost.sum()))
    context = {"production-price": "0.04 EUR/kWh", "site-consumption-capacity": "2 kW",
               "inflexible-production": [{"sensor": "sun"}]}  # fmt: skip
    assert np.isfinite(best)
    found = told(prices, wash, dry, context=context, stored={"sun": series(*sun)})
    assert found["cost"] == pytest.approx(best, abs=TIGHT)


def test_a_process_and_a_battery_are_planned_together() -> None:
    """The best start is that after which a battery that knows of it costs least."""
    prices, n = [0.3, 0.1, 0.4, 0.2, 0.5], 5
    wash = {"sensor": "car", "power": "2 kW", "duration": "PT2H", "process-type": "SHIFTABLE"}
    context = {"production-price": "0.05 EUR/kWh", "site-consumption-capacity": "3 kW",
               "inflexible-consumption": [{"sensor": "load"}]}  # fmt: skip
    costs = []
    for s in range(n - 1):
        load = np.ones(n)
        load[s : s + 2] += 2.0
        stored = {"load": series(*load)}
        costs.append(told(prices, battery(), context=context, stored=stored)["cost"])
    both = told(prices, battery(), wash, context=context, stored={"load": series(*np.ones(n))})
    assert both["cost"] == pytest.approx(min(costs), abs=TIGHT)
    assert len({round(cost, 6) for cost in costs}) > 1


@pytest.mark.parametrize("kind", ["SHIFTABLE", "BREAKABLE", "INFLEXIBLE"])
@pytest.mark.parametrize("runs_", [1, 2])
def test_the_dearest_times_are_taken_where_they_are_asked_for(kind: str, runs_: int) -> None:
    prices = [0.1, 0.2, 0.5, 0.3, 0.3, 0.6, 0.2]
    take = {"sensor": "car", "power": "1 kW", "duration": "PT2H", "process-type": kind,
            "runs": runs_, "optimization-sense": "MAX"}  # fmt: skip
    found = powers(told(prices, take, battery()), "car")
    worth = float(np.dot(prices, found))
    if kind == "INFLEXIBLE":
        best = sum(prices[: 2 * runs_])
    elif kind == "BREAKABLE":
        best = sum(sorted(prices)[-2 * runs_ :])
    else:
        best = max(
            sum(prices[s] + prices[s + 1] for s in some)
            for some in itertools.combinations(range(6), runs_)
            if all(b - a >= 2 for a, b in itertools.pairwise(some))
        )
    assert worth == pytest.approx(best)


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.7, 1.0])
def test_scenarios_are_the_best_of_all_first_steps(weight: float) -> None:
    """Buy b now at 0.20 against what may be needed later at 0.10, 0.35 or 0.80."""
    later = {"forecast": (0.6, 0.10, 2.0), "cold": (0.3, 0.35, 2.0), "dear": (0.1, 0.80, 1.0)}

    def worth(bought: float) -> float:
        costs = [0.2 * bought + price * max(load - bought, 0.0) - 0.05 * max(bought - load, 0.0)
                 for _, price, load in later.values()]  # fmt: skip
        expected = sum(p * c for (p, _, _), c in zip(later.values(), costs, strict=True))
        return (1 - weight) * expected + weight * max(costs)

    best = min(np.arange(0.0, 2.001, 0.01), key=worth)
    context = {
        "production-price": [{"start": at(0), "end": at(2), "value": "0.05 EUR/kWh"}],
        "inflexible-consumption": [{"sensor": "load"}], "risk-weight": weight,
        "scenarios": [
            {"name": name, "probability": p, "inflexible-consumption": [{"sensor": name}],
             "consumption-price": {"sensor": f"{name} price"}}
            for name, (p, _, _) in later.items() if name != "forecast"
        ],
    }  # fmt: skip
    stored = {name: series(0.0, load) for name, (_, _, load) in later.items() if name != "forecast"}
    stored |= {f"{name} price": series(0.2, price, unit="EUR/kWh")
               for name, (_, price, _) in later.items() if name != "forecast"}  # fmt: skip
    stored["load"] = series(0.0, 2.0)
    found = told([0.2, 0.1], battery(), context=context, stored=stored)
    first = powers(found, "battery")[0]
    assert worth(first) == pytest.approx(worth(best), abs=2e-3)
    told_costs = {one["name"]: one["cost"] for one in found["scenarios"]}
    for name, (_, price, load) in later.items():
        cost = 0.2 * first + price * (load - first) if load > first else 0.2 * first
        assert told_costs[name] <= cost + TIGHT
    assert found["worst-cost"] == pytest.approx(max(told_costs.values()))
    values = [step["energy-value"] for step in found["explanation"]["steps"]]
    assert max(values) < 1.0  # a weight of the worst does not make energy dearer than it is


def test_a_start_in_the_first_step_is_common_to_all_scenarios() -> None:
    """A task cannot begin now in one future and not in the other."""
    wash = {"sensor": "car", "power": "2 kW", "duration": "PT1H", "process-type": "SHIFTABLE"}
    context = {"scenarios": [{"probability": 0.4, "consumption-price": {"sensor": "high"}}]}
    stored = {"high": series(0.2, 0.9, 0.9, unit="EUR/kWh")}
    found = told([0.2, 0.1, 0.1], wash, context=context, stored=stored)
    assert powers(found, "car") == pytest.approx([2, 0, 0])  # 0.2 < 0.6 * 0.1 + 0.4 * 0.9
    rare = {"scenarios": [{"probability": 0.1, "consumption-price": {"sensor": "high"}}]}
    assert powers(told([0.2, 0.1, 0.1], wash, context=rare, stored=stored), "car")[0] == 0


def car(name: str, **entry: Any) -> Json:
    kebab = {key.replace("_", "-"): value for key, value in entry.items()}
    return {"sensor": name, "consumption-capacity": "4 kW", "soc-at-start": "0 kWh",
            "soc-max": "20 kWh", "soc-targets": [{"datetime": at(4), "value": "12 kWh"}],
            **kebab}  # fmt: skip


def test_phases_bind_each_on_its_own_and_as_three_where_nothing_is_said() -> None:
    context = {"site-phase-capacity": "2 kW", "inflexible-consumption": [{"sensor": "load"}],
               "inflexible-phases": [1, 0, 0], "relax-soc-constraints": True}  # fmt: skip
    stored = {"load": series(1, 1, 1, 1)}
    flat = [0.2] * 4
    first = told(flat, car("car", phases="L1"), context=context, stored=stored)
    assert powers(first, "car") == pytest.approx([1] * 4)
    second = told(flat, car("car", phases="L2"), context=context, stored=stored)
    assert powers(second, "car") == pytest.approx([2] * 4)
    two = told(flat, car("car", phases="L1L3"), context=context, stored=stored)
    assert powers(two, "car") == pytest.approx([2] * 4)
    three = told(flat, car("car"), context=context, stored=stored)
    assert powers(three, "car") == pytest.approx([3] * 4)


SMALL = {"site-consumption-capacity": "4 kW", "relax-constraints": True}


def test_of_two_equal_cars_the_one_of_higher_priority_is_charged_and_costs_no_more() -> None:
    flat = [0.2] * 4
    equal = told(flat, car("car"), car("out"), context=SMALL)
    for first, second in (("car", "out"), ("out", "car")):
        model = [car(first, priority=1), car(second)]
        found = told(flat, *sorted(model, key=lambda one: str(one["sensor"])), context=SMALL)
        assert found["cost"] == pytest.approx(equal["cost"], abs=TIGHT)
        assert sum(powers(found, first)) == pytest.approx(12.0)
        assert sum(powers(found, second)) == pytest.approx(4.0)
    lower = told(flat, car("car", priority=-2), car("out"), context=SMALL)
    assert sum(powers(lower, "out")) == pytest.approx(12.0)


def test_a_priority_never_costs_money() -> None:
    """The car of higher priority waits for the cheap hours all the same."""
    prices = [0.5, 0.1, 0.1, 0.1]
    eager = told(
        prices, car("car", priority=9, soc_targets=[{"datetime": at(4), "value": "8 kWh"}])
    )
    assert powers(eager, "car")[0] == 0


def test_equal_cars_share_evenly() -> None:
    found = told([0.2] * 4, car("car"), car("out"), context=SMALL)
    assert powers(found, "car") == pytest.approx([2.0] * 4)
    assert powers(found, "out") == pytest.approx([2.0] * 4)
    stepped = told([0.2] * 4, car("car", minimum_power="1.4 kW"),
                   car("out", minimum_power="1.4 kW"), context=SMALL)  # fmt: skip
    assert powers(stepped, "car") == pytest.approx([2.0] * 4)


def test_equal_batteries_share_evenly_and_unequal_ones_do_not() -> None:
    def pair(**other: Any) -> Json:
        second = {**battery(roundtrip_efficiency="90%"), "sensor": "out", **other}
        return told([0.1, 0.1, 0.5, 0.5], battery(roundtrip_efficiency="90%"), second,
                    context={"site-power-capacity": "3 kW"})  # fmt: skip

    found = pair()
    assert powers(found, "battery") == pytest.approx(powers(found, "out"))
    assert powers(found, "battery")[0] == pytest.approx(1.5)
    better = pair(**{"roundtrip-efficiency": "91%"})
    assert sum(map(abs, powers(better, "out"))) > sum(map(abs, powers(better, "battery"))) + 0.1


def test_what_has_been_paid_for_in_a_billing_period_is_used_first() -> None:
    """12 kWh in 4 hours need 3 kW: dear above the peak so far, free below it."""
    due = car("car", soc_targets=[{"datetime": at(4), "value": "12 kWh"}])
    price = {"site-peak-consumption-price": "10 EUR/kW"}
    fresh = told([0.1, 0.1, 0.3, 0.3], due, context=price)
    assert max(powers(fresh, "car")) == pytest.approx(3.0)
    assert fresh["commitment-costs"]["electricity consumption peak"] == pytest.approx(30.0)
    used = told([0.1, 0.1, 0.3, 0.3], due, context={**price, "site-peak-consumption": "4 kW"})
    assert powers(used, "car") == pytest.approx([4, 4, 4, 0])
    assert used["commitment-costs"]["electricity consumption peak"] == pytest.approx(0.0)


def test_a_new_billing_period_begins_from_nothing() -> None:
    """4 kW are paid for until midnight; 8 kWh then go before it."""
    peak = [{"start": at(0), "end": at(2), "value": "4 kW"},
            {"start": at(2), "end": at(4), "value": "0 kW"}]  # fmt: skip
    due = car("car", soc_targets=[{"datetime": at(4), "value": "9 kWh"}])
    found = told([0.3, 0.3, 0.1, 0.1], due, context={"site-peak-consumption": peak,
                 "site-peak-consumption-price": "10 EUR/kW"})  # fmt: skip
    assert powers(found, "car") == pytest.approx([4, 4, 0.5, 0.5])
    assert found["commitment-costs"]["electricity consumption peak"] == pytest.approx(5.0)


def test_a_peak_of_production_is_carried_in_as_well() -> None:
    full = battery(soc_at_start="4 kWh", consumption_capacity="0 kW", production_capacity="4 kW",
                   power_capacity="4 kW")  # fmt: skip
    context = {"site-peak-production-price": "1 EUR/kW", "site-peak-production": "2 kW"}
    found = told([0.1, 0.5, 0.4, 0.1], full, context=context)
    assert powers(found, "battery") == pytest.approx([0, -2, -2, 0])


def test_without_the_fields_nothing_changes() -> None:
    """Neutral values give the very answer that no value gives."""
    prices = [0.3, 0.1, 0.5, 0.2]
    plain = told(prices, battery(roundtrip_efficiency="90%"))
    neutral = told(prices, battery(roundtrip_efficiency="90%", priority=0, minimum_power="0 kW",
                                   soc_value_at_end="0 EUR/kWh", wear_cost="0 EUR/kWh"),
                   context={"risk-weight": 0})  # fmt: skip
    assert neutral["outputs"] == plain["outputs"]
    assert neutral["cost"] == pytest.approx(plain["cost"], abs=1e-12)


def test_equal_requests_get_equal_answers() -> None:
    prices = [0.3, 0.1, 0.5, 0.2]
    one, two = (told(prices, battery(), car("car"), context=SMALL)["outputs"] for _ in range(2))
    assert one == two


def test_a_charge_at_equal_prices_is_one_block_as_soon_as_can_be() -> None:
    """Smooth: full power, once down, off; no pause and no second start."""
    due = car("car", soc_targets=[{"datetime": at(6), "value": "10 kWh"}])
    found = powers(told([0.2] * 6, due), "car")
    assert found == pytest.approx([4, 4, 2, 0, 0, 0])
    waits = {**due, "prefer-charging-sooner": False}
    assert powers(told([0.2] * 6, waits), "car") == pytest.approx([0, 0, 0, 2, 4, 4])


def test_what_has_to_be_curtailed_is_curtailed_later() -> None:
    """The cooler takes 6 kWh of 12 at any time; feeding in costs."""
    stored = {"sun": series(3, 3, 3, 3)}
    pv: Json = {"sensor": "pv", "consumption-capacity": "0 kW",
                "production-capacity": {"sensor": "sun"}}  # fmt: skip
    asked = [{"datetime": at(4), "value": "6 kWh"}]
    takes: Json = {"sensor": "out", "consumption-capacity": "3 kW", "soc-at-start": "0 kWh",
                   "soc-max": "6 kWh", "soc-targets": asked}  # fmt: skip
    context = {"production-price": "-0.1 EUR/kWh"}
    found = told([0.2] * 4, pv, takes, context=context, stored=stored)
    assert powers(found, "pv") == pytest.approx([-3, -3, 0, 0])
    pv, takes = pv | {"prefer-curtailing-later": False}, takes | {"prefer-charging-sooner": False}
    sooner = told([0.2] * 4, pv, takes, context=context, stored=stored)
    assert powers(sooner, "pv") == pytest.approx([0, 0, -3, -3])
