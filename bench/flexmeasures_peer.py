"""FlexMeasures' own optimiser on a problem of the bench: JSON on stdin, cost and seconds on stdout.

Runs in an environment in which FlexMeasures 1.0.1 is installed, without flexedge, server or
database: only ``device_scheduler``, with the solver and the options that FlexMeasures comes with.
What its scheduler does before and after (reading sensors, saving schedules) is not in the time.
"""

import json
import sys
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]
from flask import Flask  # type: ignore[import-not-found,unused-ignore]
from flexmeasures.data.models.planning import (  # type: ignore[import-not-found,unused-ignore]
    FlowCommitment,
    StockCommitment,
)
from flexmeasures.data.models.planning.linear_optimization import (  # type: ignore[import-not-found,unused-ignore]
    device_scheduler,
)
from flexmeasures.utils import config_defaults  # type: ignore[import-not-found,unused-ignore]

_COLUMNS = ("equals", "max", "min", "efficiency", "derivative equals", "derivative max",
            "derivative min", "derivative down efficiency", "derivative up efficiency",
            "stock delta")  # fmt: skip
_MISSED = 1000.0  # per kWh: FlexMeasures' default for soc-minima


def main() -> None:
    """Solve once to have everything imported, then once more for the time."""
    told = json.load(sys.stdin)
    app = Flask("bench")
    app.config.from_object(config_defaults.Config)
    app.config["LOGGING_LEVEL"] = "INFO"  # else the solver's log goes to standard output
    with app.app_context():
        _solve({**told, "devices": told["devices"][:1]})
        began = perf_counter()
        cost = _solve(told)
        print(json.dumps({"seconds": perf_counter() - began, "cost": cost}))


def _solve(told: dict[str, Any]) -> float:
    n, step = told["n"], pd.Timedelta(minutes=told["minutes"])
    hours = step / pd.Timedelta(hours=1)
    index = pd.date_range("2026-04-14", periods=n, freq=step, tz="UTC", name="event_start")
    price, export = np.array(told["import"]), np.array(told["export"])
    energy = FlowCommitment(
        name="electricity net energy", index=index, quantity=_series(0.0, index),
        upwards_deviation_price=_series(price * hours, index),
        downwards_deviation_price=_series(export * hours, index),
    )  # fmt: skip
    commitments, frames, starts = [energy], [], []
    for number, device in enumerate(told["devices"]):
        frames.append(_frame(device, index, hours))
        starts.append(device["start"] / hours)
        commitments += _wishes(number, device, index, hours, float(np.ptp(price)))
    load = pd.DataFrame(index=index, columns=list(_COLUMNS), dtype=float)
    load["derivative equals"] = told["load_kw"]
    capacity = np.inf if told["capacity_kw"] is None else told["capacity_kw"]
    site = pd.DataFrame({"derivative max": capacity, "derivative min": -capacity}, index=index)
    _, _, results, model = device_scheduler(
        [*frames, load], site, commitments=commitments, initial_stock=[*starts, 0.0]
    )
    if results.solver.termination_condition != "optimal":
        raise SystemExit(f"FlexMeasures: {results.solver.termination_condition}")
    names = [str(commitment.name) for commitment in commitments]
    paid = (cost for number, cost in model.commitment_costs.items()
            if not names[int(number)].startswith("prefer"))  # fmt: skip
    return float(sum(paid))


def _frame(device: dict[str, Any], index: Any, hours: float) -> Any:
    frame = pd.DataFrame(index=index, columns=list(_COLUMNS), dtype=float)
    frame["min"] = (device["low"] - device["start"]) / hours
    frame["max"] = (device["high"] - device["start"]) / hours
    frame["efficiency"] = device["kept"]
    frame["derivative min"], frame["derivative max"] = device["min_kw"], device["max_kw"]
    frame["derivative up efficiency"] = device["charging"]
    frame["derivative down efficiency"] = device["discharging"]
    frame["stock delta"] = -np.array(device["usage_kw"])
    return frame


def _wishes(number: int, device: dict[str, Any], index: Any, hours: float, spread: float) -> Any:
    """What is asked of a storage: to be full sooner, and its minima."""
    where, n = _series(number, index), len(index)
    slope = np.linspace(1e-4 * spread / n, 0.0, n)
    yield StockCommitment(
        name=f"prefer a full storage {number} sooner", index=index, device=where,
        quantity=_series((device["high"] - device["start"]) / hours, index),
        upwards_deviation_price=0.0, downwards_deviation_price=_series(-slope, index),
    )  # fmt: skip
    if not device["minima"]:
        return
    wanted = np.full(n, np.nan)
    for at, soc in device["minima"]:
        wanted[at] = (soc - device["start"]) / hours
    for kind, price in (("any", _MISSED), ("each", _MISSED * hours)):
        yield StockCommitment(
            name=f"{kind} soc minima {number}", index=index, device=where, _type=kind,
            quantity=_series(wanted, index), upwards_deviation_price=0.0,
            downwards_deviation_price=_series(np.where(np.isnan(wanted), 0.0, -price), index),
        )  # fmt: skip


def _series(values: Any, index: Any) -> Any:
    return pd.Series(values, index=index)


if __name__ == "__main__":
    main()
