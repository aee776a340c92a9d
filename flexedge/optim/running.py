"""Devices that start and stop: start-up costs, times up and down. With integer columns."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray
from flexedge.optim.commitments import Draft
from flexedge.optim.device import Device, Running, per_step
from flexedge.optim.placed import Placed, limit_ramp
from flexedge.optim.program import Block, LinearProgram, Term


@dataclass(frozen=True, slots=True, eq=False)
class Switch:
    """Whether a device is on, in the program: one of its bands is chosen, or none."""

    chosen: tuple[Block, ...]
    """For each band, whether the power lies in it."""
    starts: Block
    least: tuple[float, float]
    """The least power it draws, and gives, when it is on."""
    was_on: bool

    def on(self, sign: float, at: NDArray[np.intp] | None = None) -> list[Term]:
        """Whether it is on, as terms of rows."""
        return [Term(block, sign, at=at) for block in self.chosen]


def switch(draft: Draft, placed: Placed, day_of_step: Sequence[int]) -> Switch | None:
    """Let a device be off or on, at a price per start and for no shorter than it can.

    Off is 0 kW; on is in one of its modes, or, without any, up to its capacities.
    """
    device, running = placed.device, placed.device.running
    if running is None:
        return None
    program, n, name = draft.program, len(device.min_kw), device.name
    bands = [band for band in device.modes if any(band)]
    if not device.modes:
        bands = [(float(device.min_kw.min()), float(device.max_kw.max()))]
    share = per_step(device.share if device.modes else 1.0, n)
    chosen, ends = [], []
    for number, (low, high) in enumerate(bands, start=1):
        band = low * share, high * share
        may = _may(device, running, band)
        chosen.append(program.add_columns(f"{name} on {number}", n, may, integer=True))
        ends.append([np.clip(end, device.min_kw, device.max_kw) for end in band])
    for end, bounds in ((0, (0.0, math.inf)), (1, (-math.inf, 0.0))):
        within = [Term(y, -limits[end]) for y, limits in zip(chosen, ends, strict=True)]
        program.add_rows(f"{name} on", bounds, [*placed.power, *within], n=n)
    starts = program.add_columns(f"{name} starts", n, (0.0, 1.0), running.start_price)
    draft.ledger.open(f"starts {name}", starts)
    least = (min((low for low, _ in bands if low > 0), default=0.0),
             min((-high for _, high in bands if high < 0), default=0.0))  # fmt: skip
    found = Switch(tuple(chosen), starts, least, running.on_before)
    _count(draft, name, found, running, len(bands))
    if running.max_starts_per_day is not None:
        _limit_starts(draft, name, starts, running, day_of_step)
    return found


def _may(
    device: Device, running: Running, band: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Bounds of the choice of a band: out of reach, or held off from before."""
    reach = (band[0] <= device.max_kw) & (band[1] >= device.min_kw)
    if not running.on_before:
        reach[: running.held_steps] = False
    return np.zeros(len(reach)), reach.astype(np.float64)


def _count(draft: Draft, name: str, found: Switch, running: Running, bands: int) -> None:
    """Count starts; what started stays on and what stopped stays off, for a while."""
    program, n = draft.program, found.starts.size
    before = np.arange(-1, n - 1)
    was = np.zeros(n)
    was[0] = float(running.on_before)
    terms = [*found.on(1.0), *found.on(-1.0, before), Term(found.starts, -1.0)]
    program.add_rows(f"{name} starts", (-math.inf, was), terms, n=n)
    if bands > 1:
        program.add_rows(f"{name} one mode", (-math.inf, 1.0), found.on(1.0), n=n)
    held = _held(program, found, running)
    if held:
        at = np.arange(held)
        terms = [Term(block, 1.0, at=at) for block in found.chosen]
        label = f"{name} minimum-up-time"
        program.add_rows(label, (1.0, math.inf), terms, n=held, limits=(label, None))
    if running.min_up_steps > 1:
        terms = [*window(found.starts, running.min_up_steps), *found.on(-1.0)]
        label = f"{name} minimum-up-time"
        program.add_rows(label, (-math.inf, 0.0), terms, n=n, limits=(None, label))
    if running.min_down_steps > 1:
        length = running.min_down_steps
        free = np.ones(n)  # two starts are never nearer than that
        free[: length if running.on_before else running.held_steps] = 0.0
        terms = [*window(found.starts, length), *found.on(1.0, np.arange(n) - length)]
        label = f"{name} minimum-down-time"
        program.add_rows(label, (-math.inf, free), terms, n=n, limits=(None, label))


def _held(program: LinearProgram, found: Switch, running: Running) -> int:
    """In how many steps from the first it has to stay on: until its capacity forbids it."""
    if not running.on_before or not found.chosen:
        return 0
    possible = np.any([program.bounds(block)[1] > 0 for block in found.chosen], axis=0)
    first = int(np.argmin(possible)) if not possible.all() else len(possible)
    return min(running.held_steps, first)


def window(block: Block, length: int) -> list[Term]:
    """The sum of a block over the last ``length`` steps, this one included."""
    return [Term(block, at=np.arange(block.size) - k) for k in range(min(length, block.size))]


def ease_ramps(draft: Draft, placed: Placed, found: Switch | None) -> None:
    """Keep a device to its ramps; from off to its least power and back it may jump."""
    device, n = placed.device, len(placed.device.min_kw)
    drawn, given = (0.0, 0.0) if found is None else found.least
    for sign, most, start, stop in (
        (1.0, device.max_rise_kw, drawn, given),
        (-1.0, device.max_fall_kw, given, drawn),
    ):
        if most is None:
            continue
        jumps = max(start - most, 0.0), max(stop - most, 0.0)
        eased, first = [], 0.0
        if found is not None and any(jumps):
            before = np.arange(-1, n - 1)
            # a stop is what was on, is not on now, and did not start
            eased = [Term(found.starts, -sum(jumps)),
                     *found.on(-jumps[1], before), *found.on(jumps[1])]  # fmt: skip
            first = jumps[1] * found.was_on
        limit_ramp(draft.program, placed, (sign, most), eased, first)
    if found is not None and _jumps(device, found):
        _bind_starts(draft, found, device.name)


def _jumps(device: Device, found: Switch) -> bool:
    slowest = min(math.inf if most is None else most
                  for most in (device.max_rise_kw, device.max_fall_kw))  # fmt: skip
    return max(found.least) > slowest


def _bind_starts(draft: Draft, found: Switch, name: str) -> None:
    """Let nothing count as a start but a step that is on after one that is off."""
    n = found.starts.size
    free = np.ones(n)
    free[0] = 0.0 if found.was_on else 1.0
    draft.program.add_rows(f"{name} starts", (-math.inf, 0.0),
                           [Term(found.starts), *found.on(-1.0)], n=n)  # fmt: skip
    terms = [Term(found.starts), *found.on(1.0, np.arange(-1, n - 1))]
    draft.program.add_rows(f"{name} starts", (-math.inf, free), terms, n=n)


def _limit_starts(
    draft: Draft, name: str, starts: Block, running: Running, day_of_step: Sequence[int]
) -> None:
    days = np.asarray(day_of_step if len(day_of_step) else [0] * starts.size)
    label = f"{name} maximum-starts-per-day"
    for day in np.unique(days):
        most = float(running.max_starts_per_day or 0)
        if day == days[0]:
            most = max(most - running.starts_before, 0.0)
        on_day = (days == day).astype(np.float64)
        draft.program.add_total(label, (-math.inf, most), [(starts, on_day)],
                                limits=(None, label))  # fmt: skip
