"""Making a plan, over the time HiGHS itself needs for the same linear program."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import highspy
import numpy as np

from bench.measure import Row, goal, in_turn, seconds
from flexedge.demo.market import FEED_IN_EUR_PER_KWH, hourly_prices
from flexedge.demo.place import ZONE
from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.device import Device, SocBound, Storage
from flexedge.optim.market import Connection, Market
from flexedge.optim.problem import Problem
from flexedge.optim.program import Arrays
from flexedge.optim.solve import formulate, settle

START = datetime(2026, 4, 14, 4, tzinfo=UTC)
_QUARTER = timedelta(minutes=15)
_LIMIT = timedelta(seconds=20)


def rows(*, quick: bool) -> Iterator[Row]:
    """The home site over 36 h, and 1, 2, 5 and 10 batteries over 48 h."""
    rounds = 3 if quick else 25
    yield _row("plan, home site, 144 steps", home(144), rounds)
    for count in (1, 2) if quick else (1, 2, 5, 10):
        name = "battery" if count == 1 else "batteries"
        yield _row(f"plan, {count} {name}, 192 steps", batteries(count, 192), rounds)


def _row(what: str, problem: Problem, rounds: int) -> Row:
    arrays = formulate(problem).program.arrays()
    ours, other = in_turn(lambda: _plan_ms(problem), lambda: bare_ms(arrays), rounds)
    size = f" ({len(arrays.cost)} x {len(arrays.row_lower)})"
    return Row(what + size, "ms", ours, other, "HiGHS' run()", goal(most=3.0))


def _plan_ms(problem: Problem) -> float:
    return 1e3 * seconds(lambda: settle(formulate(problem), _LIMIT))


def bare_ms(a: Arrays) -> float:
    """Only ``run`` counts; HiGHS as it comes, but on one thread."""
    highs = highspy.Highs()  # type: ignore[no-untyped-call] # it has no types
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.passModel(
        len(a.cost), len(a.row_lower), len(a.value),
        int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMinimize), 0.0,
        a.cost, a.lower, a.upper, a.row_lower, a.row_upper,
        a.start, a.index, a.value, np.zeros(len(a.cost), np.int32),
    )  # fmt: skip
    took = seconds(highs.run)
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError("HiGHS did not solve the bench's program")
    return 1e3 * took


def home(n: int) -> Problem:
    """Battery, car, heat buffer and PV that may be curtailed, behind 17 kW."""
    grid = TimeGrid(START, _QUARTER, n)
    hours = np.arange(n) / 4.0 + START.hour
    devices = (
        _battery("battery", n, 5.0, 10.0),
        Device("car", np.zeros(n), np.full(n, 11.0), Storage(
            "car", 20.0, 0.0, 58.0, minima=(SocBound(START + timedelta(hours=26), 50.0),),
        ), 0.92),
        Device("heating", np.zeros(n), np.full(n, 3.0), Storage(
            "heating", 6.0, 0.0, 12.0, usage_kw=2.0 + np.cos(hours * np.pi / 12),
            storage_efficiency=0.997,
        ), 3.4),
        Device("solar", _sun(hours, 8.0), np.zeros(n)),
    )  # fmt: skip
    return _site(grid, devices, hours, Connection(consumption_capacity_kw=17.0))


def batteries(count: int, n: int) -> Problem:
    """Batteries of different sizes that share a connection."""
    grid = TimeGrid(START, _QUARTER, n)
    hours = np.arange(n) / 4.0 + START.hour
    devices = tuple(_battery(f"battery{i}", n, 3.0 + i, 8.0 + 2.0 * i) for i in range(count))
    return _site(grid, devices, hours, Connection(power_capacity_kw=10.0 + 4.0 * count))


def _battery(name: str, n: int, power_kw: float, size_kwh: float) -> Device:
    store = Storage(name, size_kwh / 2, 0.05 * size_kwh, size_kwh, storage_efficiency=0.9999)
    return Device(name, np.full(n, -power_kw), np.full(n, power_kw), store, 0.95, 0.95)


def _sun(hours: FloatArray, peak_kw: float) -> FloatArray:
    power: FloatArray = 0.0 - peak_kw * np.clip(np.sin((hours - 6) / 12 * np.pi), 0, None)
    return power


def _site(
    grid: TimeGrid, devices: tuple[Device, ...], hours: FloatArray, connection: Connection
) -> Problem:
    priced = dict(hourly_prices(1, START.date(), grid.end.date(), ZONE))
    bought = np.array(
        [priced[moment.replace(minute=0)] for moment in grid.times()], dtype=np.float64
    )
    load = 0.4 + 0.5 * np.exp(-(((hours % 24 - 19) / 2) ** 2)) + 0.3 * (np.sin(hours * 7) > 0.5)
    sold = np.full(grid.n, FEED_IN_EUR_PER_KWH)
    return Problem(grid, devices, (Market(load, bought, sold, connection),))
