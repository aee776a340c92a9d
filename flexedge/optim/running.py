"""Devices that start and stop: start-up costs, times up and down, tasks. With integer columns."""

import math
from collections.abc import Sequence

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim.commitments import Draft
from flexedge.optim.device import Device, Process, Running, per_step
from flexedge.optim.placed import Placed
from flexedge.optim.program import Block, Term


def switch(draft: Draft, placed: Placed, day_of_step: Sequence[int]) -> None:
    """Let a device be off or on, at a price per start and for no shorter than it can."""
    device = placed.device
    running = device.running
    if running is None:
        return
    program, n, name = draft.program, len(device.min_kw), device.name
    held = np.arange(n) < running.held_steps
    may = (
        np.where(held & running.on_before, 1.0, 0.0),
        np.where(held & ~running.on_before, 0.0, 1.0),
    )
    on = program.add_columns(f"{name} on", n, may, integer=True)
    starts = program.add_columns(f"{name} starts", n, (0.0, 1.0), running.start_price)
    draft.ledger.open(f"starts {name}", starts)
    for sign, most in ((1.0, device.max_kw), (-1.0, -device.min_kw)):
        terms = [Term(t.block, sign * float(t.coefficient)) for t in placed.power]
        program.add_rows(f"{name} on", (-math.inf, 0.0), [*terms, Term(on, -np.maximum(most, 0.0))],
                         n=n)  # fmt: skip
        least = _least_on(device, sign)
        if least > 0:
            part = -least * per_step(device.share, n)
            program.add_rows(f"{name} on", (0.0, math.inf), [*terms, Term(on, part)], n=n)
    before = np.arange(-1, n - 1)
    was = np.zeros(n)
    was[0] = float(running.on_before)
    program.add_rows(f"{name} starts", (-math.inf, was),
                     [Term(on), Term(on, -1.0, at=before), Term(starts, -1.0)], n=n)  # fmt: skip
    _hold(draft, name, on, starts, running)
    if running.max_starts_per_day is not None:
        _limit_starts(draft, name, starts, running, day_of_step)


def _least_on(device: Device, sign: float) -> float:
    """The least power of a device that is on, where its modes leave it one direction."""
    bands = [(low, high) for low, high in device.modes if low or high]
    ends = [low if sign > 0 else -high for low, high in bands]
    return min(ends, default=0.0)


def _hold(draft: Draft, name: str, on: Block, starts: Block, running: Running) -> None:
    """What started stays on, what stopped stays off, for a while."""
    n = on.size
    if running.min_up_steps > 1:
        terms = [*_window(starts, running.min_up_steps), Term(on, -1.0)]
        label = f"{name} minimum-up-time"
        draft.program.add_rows(label, (-math.inf, 0.0), terms, n=n)
    if running.min_down_steps > 1:
        length = running.min_down_steps
        free = np.ones(n)
        free[:length] = math.inf  # it may have been off for long when the horizon begins
        if running.on_before:
            free[:length] = 0.0
        terms = [*_window(starts, length), Term(on, 1.0, at=np.arange(n) - length)]
        label = f"{name} minimum-down-time"
        draft.program.add_rows(label, (-math.inf, free), terms, n=n)


def _window(block: Block, length: int) -> list[Term]:
    """The sum of a block over the last ``length`` steps, this one included."""
    return [Term(block, at=np.arange(block.size) - k) for k in range(min(length, block.size))]


def _limit_starts(
    draft: Draft, name: str, starts: Block, running: Running, day_of_step: Sequence[int]
) -> None:
    days = np.asarray(day_of_step if len(day_of_step) else [0] * starts.size)
    label = f"{name} maximum-starts-per-day"
    for day in np.unique(days):
        on_day = (days == day).astype(np.float64)
        most = running.max_starts_per_day or 0
        if day == days[0]:
            most = max(most - running.starts_before, 0)
        draft.program.add_total(label, (-math.inf, float(most)), [(starts, on_day)],
                                limits=(None, label))  # fmt: skip


def perform(draft: Draft, placed: Placed, weight: FloatArray) -> None:
    """Let a device run its task: the same power in as many steps as it takes.

    ``weight`` falls with time; of equally cheap times the earliest is taken.
    """
    device, process = placed.device, placed.device.process
    if process is None:
        return
    program, n, name = draft.program, len(device.min_kw), device.name
    late = (weight[0] - weight) * draft.hours
    if process.kind == "BREAKABLE":
        may = np.where(process.allowed, 1.0, 0.0)
        runs = program.add_columns(f"{name} runs", n, (0.0, may), late, integer=True)
        parts = [Term(runs)]
        wanted = min(process.slots * process.runs, n)
    else:
        may = _starts(process)
        runs = program.add_columns(f"{name} begins", n, (0.0, may), late, integer=True)
        parts = _window(runs, process.slots)
        wanted = process.runs
        if process.runs > 1:
            program.add_rows(f"{name} one at a time", (-math.inf, 1.0), parts, n=n)
    label = f"{name} duration"
    program.add_total(label, (float(wanted), float(wanted)), [(runs, 1.0)], limits=(label, None))
    powers = [Term(t.block, t.coefficient, t.at) for t in placed.power]
    power_kw = process.power_kw * per_step(device.share, n)
    powers += [Term(part.block, -power_kw, part.at) for part in parts]
    program.add_rows(f"{name} power", (0.0, 0.0), powers, n=n)


def _starts(process: Process) -> FloatArray:
    """Where a piece may begin: all its steps are allowed, and within the horizon."""
    n = len(process.allowed)
    may = np.zeros(n)
    if process.slots <= n:
        whole = np.lib.stride_tricks.sliding_window_view(process.allowed, process.slots)
        may[: len(whole)] = whole.all(axis=1)
    if process.kind == "INFLEXIBLE":
        may = _first(may, process)
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
