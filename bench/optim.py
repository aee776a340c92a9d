"""The optimiser: devices by horizons by prices, beside HiGHS' linear program and FlexMeasures.

FlexMeasures 1.0.1 is measured where it is installed in an environment of its own; name its Python
in FLEXMEASURES_PYTHON.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import numpy as np

from bench.measure import Bound, Row, goal
from bench.plan import bare_ms
from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.device import Device, SocBound, Storage
from flexedge.optim.market import Connection, Market
from flexedge.optim.problem import Problem
from flexedge.optim.solution import Solution
from flexedge.optim.solve import formulate, solve

START = datetime(2026, 4, 14, 0, tzinfo=UTC)
LIMIT = timedelta(seconds=20)
DEVICES = (1, 2, 5, 10, 20, 50)
HORIZONS = (("24 h@15 min", 15, 96), ("48 h@15 min", 15, 192), ("7 d@15 min", 15, 672),
            ("48 h@5 min", 5, 576))  # fmt: skip
_LARGE = 10_000  # devices times steps: measured once
_PATIENCE_S = 60  # for FlexMeasures, which has no time limit
_PEER_MOST = 4_000  # devices times steps that it is asked for
_MANY = 5  # devices from which on the linear program should take most of the time
_PEER = Path(__file__).with_name("flexmeasures_peer.py")


@dataclass(frozen=True, slots=True)
class _Took:
    """One way to make a plan: build, solve and all of it in ms."""

    total: float
    solution: Solution


def rows(*, quick: bool) -> Iterator[Row]:
    """The whole matrix, and a rolling re-plan."""
    python = os.environ.get("FLEXMEASURES_PYTHON")
    if python is None:
        print("  FlexMeasures is not measured: name its Python in FLEXMEASURES_PYTHON", flush=True)
    for negative in (False, True):
        for count in DEVICES[:2] if quick else DEVICES:
            for horizon in HORIZONS[:1] if quick else HORIZONS:
                yield from _case(count, horizon, negative=negative, quick=quick, python=python)
    yield from _rolling(3 if quick else 15)


def _case(
    count: int, horizon: tuple[str, int, int], *, negative: bool, quick: bool, python: str | None
) -> Iterator[Row]:
    name, minutes, n = horizon
    problem = site(count, minutes, n, negative=negative)
    rounds = 2 if quick else 1 if count * n > _LARGE else 5
    arrays = formulate(problem).program.arrays()
    ours, bare = [], []
    for _ in range(rounds):
        bare.append(bare_ms(arrays))
        ours.append(_took(problem))
    plan = ours[-1].solution
    what = (f"{count} devices, {name}, {'negative' if negative else 'positive'} prices: "
            f"build {1e3 * plan.build_seconds:.1f} + solve {1e3 * plan.solve_seconds:.1f} ms, "
            f"gap {plan.gap:.1e}, cost {plan.total_cost:.3f}")  # fmt: skip
    totals = [one.total for one in ours]
    yield Row(what, "ms", totals, bare, "HiGHS, LP alone", _bound(count, negative=negative))
    if name == "48 h@15 min" and count == 1 and not negative:
        over = [total - other for total, other in zip(totals, bare, strict=True)]
        yield Row("1 device: over the LP", "ms", over, [10.0] * rounds, "allowed", goal(most=1.0))
    if name == "48 h@15 min" and count == 20 and negative:
        yield Row("20 devices, negative: total", "ms", totals, [2e3] * rounds, "allowed",
                  goal(most=1.0))  # fmt: skip
        yield Row("20 devices, negative: gap", "%", [100 * plan.gap + 1e-9], [0.1], "allowed",
                  goal(most=1.0))  # fmt: skip
    if python is not None and count * n <= _PEER_MOST:
        yield from _beside(python, problem, plan, totals[-1])


def _bound(count: int, *, negative: bool) -> Bound | None:
    return None if negative or count < _MANY else goal(most=1.5)


def _took(problem: Problem, after: Solution | None = None) -> _Took:
    began = perf_counter()
    solution = solve(problem, LIMIT, after)
    return _Took(1e3 * (perf_counter() - began), solution)


def _rolling(rounds: int) -> Iterator[Row]:
    """One step later, with states of charge that differ from the plan."""
    long = site(10, 15, 192 + rounds + 1, negative=False)
    plan = _took(_window(long, 0, None)).solution
    warm, cold = [], []
    for step in range(1, rounds + 1):
        problem = _window(long, step, plan)
        cold.append(_took(problem).total)
        again = _took(problem, plan)
        warm.append(again.total)
        plan = again.solution
    bound = goal(most=1 / 3)
    yield Row("10 devices, 48 h@15 min, a step later", "ms", warm, cold, "from nothing", bound)


def _window(long: Problem, step: int, before: Solution | None) -> Problem:
    """192 steps of a longer problem, from where a plan was a step before (and 2 % beside it)."""
    n, inside = 192, slice(step, step + 192)
    devices = []
    for device in long.devices:
        storage = device.storage
        if storage is not None and before is not None:
            soc = float(before.soc_kwh[storage.name][0]) * 0.98
            storage = replace(storage, soc_start_kwh=max(soc, storage.soc_min_kwh))
        if storage is not None:
            storage = replace(storage, usage_kw=(np.zeros(long.grid.n) + storage.usage_kw)[inside])
        devices.append(replace(device, min_kw=device.min_kw[inside], max_kw=device.max_kw[inside],
                               storage=storage))  # fmt: skip
    market = long.site
    shorter = replace(
        market,
        inflexible_kw=market.inflexible_kw[inside],
        import_price=market.import_price[inside],
        export_price=market.export_price[inside],
    )
    grid = TimeGrid(long.grid.start + step * long.grid.resolution, long.grid.resolution, n)
    return Problem(grid, tuple(devices), (shorter,))


def site(count: int, minutes: int, n: int, *, negative: bool) -> Problem:
    """Batteries, cars, heat buffers and sun behind one connection."""
    grid = TimeGrid(START, timedelta(minutes=minutes), n)
    hours = np.arange(n, dtype=np.float64) * grid.hours
    day = np.mod(hours, 24.0).astype(np.float64)
    price = 0.18 + 0.09 * np.sin((day - 13) / 24 * 4 * np.pi) + 0.01 * np.cos(hours * 1.7)
    if negative:  # around noon: a tenth of the steps
        noon = np.abs(day - 13) < 1.2
        price = np.where(noon, -0.02 - 0.05 * np.abs(np.sin(hours)), price)
    load = count * (0.4 + 0.5 * np.exp(-(((day - 19) / 2) ** 2)))
    devices = tuple(_device(i, n, day, grid) for i in range(count))
    connection = Connection(power_capacity_kw=6.0 + 5.0 * count)
    return Problem(grid, devices, (Market(load, price, price - 0.04, connection),))


def _device(i: int, n: int, day: FloatArray, grid: TimeGrid) -> Device:
    size = 8.0 + 1.7 * (i % 7)
    kw = 3.0 + 0.5 * (i % 5)
    name = f"device{i}"
    match i % 4:
        case 0 | 3:
            stock = Storage(name, size / 2, 0.1 * size, size)
            one_way = 0.93 + 0.005 * (i % 9)
            return Device(name, np.full(n, -kw), np.full(n, kw), stock, one_way, one_way)
        case 1:
            due = tuple(
                SocBound(START + timedelta(days=d, hours=7), 40.0)
                for d in range(1, 9)
                if START + timedelta(days=d, hours=7) <= grid.end
            )
            stock = Storage(name, 20.0, 0.0, 58.0, minima=due[:1])
            return Device(name, np.zeros(n), np.full(n, 11.0), stock, 0.91)
    usage = 1.5 + 0.8 * np.cos(day * np.pi / 12)
    stock = Storage(name, 6.0, 0.0, 12.0, usage_kw=usage, storage_efficiency=0.997)
    return Device(name, np.zeros(n), np.full(n, 3.0), stock, 3.2)


def _beside(python: str, problem: Problem, plan: Solution, ours_ms: float) -> Iterator[Row]:
    """FlexMeasures' own time and cost for the same devices and prices."""
    try:
        done = subprocess.run([python, str(_PEER)], input=json.dumps(_told(problem)), text=True,
                              capture_output=True, check=True, timeout=_PATIENCE_S)  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"  FlexMeasures has no plan after {_PATIENCE_S} s", flush=True)
        return
    except subprocess.CalledProcessError as error:
        print(f"  FlexMeasures failed: {error.stderr.strip().splitlines()[-1:]}", flush=True)
        return
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    what = f"  beside FlexMeasures: its cost {answer['cost']:.3f}, ours {plan.total_cost:.3f}"
    yield Row(what, "ms", [ours_ms], [1e3 * answer["seconds"]], "FlexMeasures")


def _told(problem: Problem) -> dict[str, object]:
    """The numbers of a problem as JSON."""
    market = problem.site
    devices = []
    for device in problem.devices:
        storage = device.storage
        if storage is None:
            continue
        grid = problem.grid
        devices.append({
            "min_kw": device.min_kw.tolist(), "max_kw": device.max_kw.tolist(),
            "charging": float(np.max(device.charging_efficiency)),
            "discharging": float(np.max(device.discharging_efficiency)),
            "kept": float(np.max(storage.storage_efficiency)),
            "usage_kw": (np.zeros(grid.n) + storage.usage_kw).tolist(),
            "start": storage.soc_start_kwh, "low": storage.soc_min_kwh,
            "high": storage.soc_max_kwh,
            "minima": [[int((b.at - grid.start) / grid.resolution) - 1, b.soc_kwh]
                       for b in storage.minima],
        })  # fmt: skip
    capacity = market.connection.power_capacity_kw
    return {
        "minutes": problem.grid.hours * 60, "n": problem.grid.n, "devices": devices,
        "load_kw": market.inflexible_kw.tolist(), "import": market.import_price.tolist(),
        "export": market.export_price.tolist(),
        "capacity_kw": None if capacity is None else float(np.max(capacity)),
    }  # fmt: skip
