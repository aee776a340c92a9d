"""Tasks in the program: constant power, in pieces, within limits that all share."""

import math

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim.commitments import Draft
from flexedge.optim.device import Process, per_step
from flexedge.optim.placed import Placed, tie_break, urgency
from flexedge.optim.problem import Problem
from flexedge.optim.process import BoolArray, dearest, place
from flexedge.optim.program import Term
from flexedge.optim.running import window


def perform(draft: Draft, placed: Placed, problem: Problem) -> None:
    """Let a device run its task: the same power in as many steps as it takes.

    Of equally cheap times the earliest is taken.
    """
    device, process = placed.device, placed.device.process
    if process is None:
        return
    program, n, name = draft.program, len(device.min_kw), device.name
    weight = tie_break(problem) * urgency(device.priority)
    late = (weight[0] - weight) * draft.hours
    if process.kind == "BREAKABLE":
        may = _steps(process, problem.site.import_price)
        runs = program.add_columns(f"{name} runs", n, (0.0, may), late, integer=True)
        parts = [Term(runs)]
        wanted = min(process.slots * process.runs, n)
    else:
        may = _starts(process, problem.site.import_price)
        runs = program.add_columns(f"{name} begins", n, (0.0, may), late, integer=True)
        parts = window(runs, process.slots)
        wanted = min(process.runs, n + 1)  # more than there is room for in any case
        if process.runs > 1:
            program.add_rows(f"{name} one at a time", (-math.inf, 1.0), parts, n=n)
    label = f"{name} duration"
    program.add_total(label, (float(wanted), float(wanted)), [(runs, 1.0)], limits=(label, None))
    powers = [Term(t.block, t.coefficient, t.at) for t in placed.power]
    power_kw = process.power_kw * per_step(device.share, n)
    powers += [Term(part.block, -power_kw, part.at) for part in parts]
    program.add_rows(f"{name} power", (0.0, 0.0), powers, n=n)


def _steps(process: Process, price: FloatArray) -> FloatArray:
    """In which steps a task of single steps may run."""
    chosen: BoolArray | None = None
    if process.dearest:
        wanted = process.slots * process.runs
        chosen = place("BREAKABLE", wanted, price, process.allowed, "MAX")
    return np.where(process.allowed if chosen is None else chosen, 1.0, 0.0)


def _starts(process: Process, price: FloatArray) -> FloatArray:
    """Where a piece may begin: all its steps are allowed, and within the horizon."""
    n = len(process.allowed)
    may = np.zeros(n)
    if process.slots <= n:
        whole = np.lib.stride_tricks.sliding_window_view(process.allowed, process.slots)
        may[: len(whole)] = whole.all(axis=1)
    if process.kind == "INFLEXIBLE":
        return _first(may, process)
    if process.dearest and process.slots <= n:
        sums = np.convolve(price, np.ones(process.slots), "valid")
        return dearest(may, np.append(sums, np.zeros(n - len(sums))), process.slots, process.runs)
    return may


def _first(may: FloatArray, process: Process) -> FloatArray:
    """The earliest starts that do not overlap."""
    chosen = np.zeros_like(may)
    free = 0
    for step in np.flatnonzero(may).tolist():
        if step >= free and chosen.sum() < process.runs:
            chosen[step] = 1.0
            free = step + process.slots
    return chosen
