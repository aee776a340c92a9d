"""Tasks in the program: constant power, in pieces, within limits that all share."""

import math

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim.commitments import Draft
from flexedge.optim.device import Process, per_step
from flexedge.optim.placed import Placed, tie_break, urgency
from flexedge.optim.problem import Problem
from flexedge.optim.process import BoolArray, dearest, earliest, following, place, starts
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
    """Where a piece may begin."""
    may = starts(process.allowed, process.slots)
    if process.kind == "INFLEXIBLE":
        return earliest(may, process.slots, process.runs)
    if process.dearest:
        return dearest(may, following(price, process.slots), process.slots, process.runs)
    return may
