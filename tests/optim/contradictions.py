"""Random requests whose wishes contradict each other: hard limits nothing can keep. By seed."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.optim.requests import START, sensible

Json = dict[str, Any]


def contradictory(seed: int) -> Json:
    """A sensible request with one contradiction in it, or several."""
    r = random.Random(seed)
    data = sensible(seed)
    context = data["request"]["flex-context"]
    if r.random() < 0.8:
        context["relax-constraints"] = False
    for make in r.sample(KINDS, r.choice([1, 1, 2, 3])):
        make(r, data)
    return data


def _storages(data: Json) -> list[Json]:
    return [one for one in data["request"]["flex-model"] if "soc-max" in one]


def _steps(data: Json) -> tuple[timedelta, int]:
    minutes = int(data["scheduling-resolution"][2:-1])
    return timedelta(minutes=minutes), int(data["request"]["duration"][2:-1]) // minutes


def _tick(r: random.Random, data: Json) -> datetime:
    step, n = _steps(data)
    return START + r.randint(1, n) * step


def _sensor(data: Json, name: str) -> str:
    data["sensors"][name] = {"unit": "kW", "resolution": data["scheduling-resolution"]}
    return name


def _targets_too_close(r: random.Random, data: Json) -> None:
    step, n = _steps(data)
    one = r.choice(_storages(data))
    at = START + r.randint(1, n - 1) * step
    one["soc-targets"] = [
        {"datetime": (at + k * step).isoformat(), "value": f"{size:.3f} kWh"}
        for k, size in enumerate(r.choice([(0.0, 29.0), (29.0, 0.0)]))
    ]


def _minimum_above_maximum(r: random.Random, data: Json) -> None:
    one, at = r.choice(_storages(data)), _tick(r, data).isoformat()
    one["soc-minima"] = [{"datetime": at, "value": "5 kWh"}]
    one["soc-maxima"] = [{"datetime": at, "value": "2 kWh"}]


def _out_of_reach(r: random.Random, data: Json) -> None:
    one, step = r.choice(_storages(data)), _steps(data)[0]
    one[r.choice(["soc-minima", "soc-targets"])] = [
        {"datetime": (START + step).isoformat(), "value": "500 kWh"}
    ]


def _between_ticks(r: random.Random, data: Json) -> None:
    one, at = r.choice(_storages(data)), _tick(r, data) + timedelta(minutes=7, seconds=31)
    one["soc-targets"] = [{"datetime": at.isoformat(), "value": "300 kWh"}]


def _start_outside(r: random.Random, data: Json) -> None:
    one = r.choice(_storages(data))
    size = float(one["soc-max"].split()[0])
    one["soc-min"] = f"{size / 2:.3f} kWh"
    one["soc-at-start"] = f"{r.choice([-3 * size, 0.0, size / 4, 1.1 * size, 9 * size]):.3f} kWh"
    if r.random() < 0.5:
        one[r.choice(["consumption-capacity", "production-capacity"])] = "0 kW"


def _more_used_than_drawn(r: random.Random, data: Json) -> None:
    for one in _storages(data):
        one["soc-usage"] = [f"{r.uniform(1, 20):.3f} kW"]
        one["soc-min"] = "1 kWh"
    data["request"]["flex-context"]["site-power-capacity"] = f"{r.uniform(0, 3):.3f} kW"


def _load_above_connection(r: random.Random, data: Json) -> None:
    context = data["request"]["flex-context"]
    data["sensors"]["mill"] = {"unit": "kW", "resolution": "PT15M"}
    data["series"]["mill"] = {
        "start": START.isoformat(), "resolution": "PT15M", "unit": "kW",
        "values": [r.uniform(5, 50) for _ in range(24 * 4)],
    }  # fmt: skip
    context.setdefault("inflexible-consumption", []).append({"sensor": "mill"})
    context["site-power-capacity"] = "4 kW"


def _no_zero_band(r: random.Random, data: Json) -> None:
    one = r.choice(_storages(data))
    one["power-capacity"] = "9 kW"
    one.pop("consumption-capacity", None)
    one["operation-modes"] = [{"consumption-range": ["6 kW", "8 kW"]}]
    data["request"]["flex-context"]["site-power-capacity"] = "4 kW"


def _task_without_room(r: random.Random, data: Json) -> None:
    step, n = _steps(data)
    data["request"]["flex-model"].append({
        "sensor": _sensor(data, "washer"), "power": r.choice([2.0, "12 kW"]),
        "duration": f"PT{int(step.total_seconds() / 60) * r.randint(1, n + 2)}M",
        "process-type": r.choice(["INFLEXIBLE", "BREAKABLE", "SHIFTABLE"]),
        "runs": r.choice([1, 1, 2, 5]),
        "time-restrictions": [{"start": (START + step).isoformat(),
                               "duration": f"PT{int(step.total_seconds() / 60) * (n - 2)}M"}],
    })  # fmt: skip
    if r.random() < 0.5:
        data["request"]["flex-context"]["site-power-capacity"] = "3 kW"


def _node_out_of_balance(r: random.Random, data: Json) -> None:
    size = r.choice(["2 kW", "30 kW"])
    data["request"]["flex-model"] += [
        {"sensor": _sensor(data, "gas"), "commodity": "gas", "coupling": "boiler",
         "consumption-capacity": size, "production-capacity": "0 kW"},
        {"sensor": _sensor(data, "heat"), "commodity": "heat", "coupling": "boiler",
         "coupling-coefficient": 0.9, "production-capacity": size, "consumption-capacity": "0 kW"},
        {"sensor": _sensor(data, "house"), "commodity": "heat", "soc-at-start": "2 kWh",
         "soc-min": "1 kWh", "soc-max": "3 kWh", "soc-usage": [f"{r.uniform(1, 30):.3f} kW"],
         "power-capacity": "20 kW", "production-capacity": "0 kW"},
    ]  # fmt: skip


def _ramp_from_nowhere(r: random.Random, data: Json) -> None:
    one = r.choice(_storages(data))
    one["ramp-down-limit"] = one["ramp-up-limit"] = "1 kW/h"
    one["power-at-start"] = r.choice(["50 kW", "-50 kW"])


def _group_too_narrow(r: random.Random, data: Json) -> None:
    for one in _storages(data):
        one["group"] = {"sensor": "inverter"}
        one["soc-usage"] = ["3 kW"]
        one["soc-min"] = "1 kWh"
    model = data["request"]["flex-model"]
    model[:] = [one for one in model if one.get("sensor") != "inverter"]
    model.append({"sensor": _sensor(data, "inverter"),
                  "power-capacity": f"{r.uniform(0, 2):.3f} kW"})  # fmt: skip


def _phases_too_narrow(r: random.Random, data: Json) -> None:
    data["request"]["flex-context"]["site-phase-capacity"] = "0.5 kW"
    for one in _storages(data):
        one["phases"] = r.choice(["L1", "L1L2L3"])
        one["soc-targets"] = [{"datetime": _tick(r, data).isoformat(), "value": "9 kWh"}]


KINDS: list[Callable[[random.Random, Json], None]] = [
    _targets_too_close, _minimum_above_maximum, _out_of_reach, _between_ticks, _start_outside,
    _more_used_than_drawn, _load_above_connection, _no_zero_band, _task_without_room,
    _node_out_of_balance, _ramp_from_nowhere, _group_too_narrow, _phases_too_narrow,
]  # fmt: skip
