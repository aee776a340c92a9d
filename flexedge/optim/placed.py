"""Devices in the program: columns for their powers, and the limits each has alone."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.choices import Bands
from flexedge.optim.device import Device, per_step
from flexedge.optim.problem import Problem
from flexedge.optim.program import Block, LinearProgram, Term

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Where a device stands in the program."""

    device: Device
    up: Block | None
    """Power drawn, at least 0; or, where ``down`` is None and it may be negative, its power."""
    down: Block | None
    """Power given, at least 0."""

    @property
    def power(self) -> tuple[Term, ...]:
        """Net consumption in kW."""
        signed = ((self.up, 1.0), (self.down, -1.0))
        return tuple(Term(block, sign) for block, sign in signed if block is not None)

    def power_kw(self, primal: FloatArray) -> FloatArray:
        """Net consumption in a solution."""
        return sum(
            (float(term.coefficient) * term.block.of(primal) for term in self.power),
            start=np.zeros(len(self.device.min_kw)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """A sum of powers, with the least and the most it can be (fixed powers included)."""

    terms: tuple[Term, ...]
    least: FloatArray
    most: FloatArray

    @classmethod
    def of(cls, placed: Iterable[Placed], fixed_kw: FloatArray) -> "Flow":
        """The sum of the devices' powers and of what happens anyway."""
        devices = tuple(placed)
        return cls(
            tuple(term for p in devices for term in p.power),
            sum((p.device.min_kw for p in devices), start=fixed_kw),
            sum((p.device.max_kw for p in devices), start=fixed_kw),
        )


def tie_break(problem: Problem) -> FloatArray:
    """What a kWh in each step may cost to decide between equals, falling to almost nothing.

    1e-4 of the spread of prices over the number of steps: what FlexMeasures does where prices
    vary.
    """
    n = problem.grid.n
    price = problem.site.import_price
    scale = spread(price) or float(np.abs(price).max()) or 1.0
    weight: FloatArray = (1e-4 * scale / n) * (np.arange(n, 0, -1) / n)
    return weight


def fullness(grid: TimeGrid, price: FloatArray) -> FloatArray:
    """What FlexMeasures charges for each kWh that is missing to a full stock after each step.

    1e-4 of the spread of known prices over the number of steps, per MWh and step, falling to
    nothing (that of 1 per MWh where prices do not vary); nothing where no price is known (NaN).
    """
    known = price[~np.isnan(price)]
    most = 1e-4 * ((spread(known) if known.size else 0.0) or 1e-3) / grid.n
    falling: FloatArray = np.linspace(most, 0.0, grid.n) / grid.hours
    return np.where(np.isnan(price), 0.0, falling)


def urgency(priority: float) -> float:
    """By what a priority multiplies the preference for sooner: 1 for none, always above 0."""
    return 1.0 + priority if priority >= 0 else 1.0 / (1.0 - priority)


def spread(price: FloatArray) -> float:
    """Between the lowest price and the highest; 0 where they differ by rounding alone."""
    between = float(np.ptp(price))
    return between if between > _ROUNDING * float(np.abs(price).max()) else 0.0


def place(program: LinearProgram, device: Device, problem: Problem) -> Placed:
    """Add a device to the program."""
    if device.storage is None and not device.wear_price:
        placed = _place_plain(program, device, problem)
    else:
        wear = device.wear_price * problem.grid.hours
        placed = Placed(device, _flow(program, device, +1, wear), _flow(program, device, -1, wear))
    return placed


def _place_plain(program: LinearProgram, device: Device, problem: Problem) -> Placed:
    weight = tie_break(problem) * problem.grid.hours * urgency(device.priority)
    producing = bool((device.min_kw < 0).any())
    block = program.add_columns(
        f"{device.name} power",
        problem.grid.n,
        (device.min_kw, device.max_kw),
        cost=(weight if device.prefer_curtailing_later else weight[::-1]) if producing else 0.0,
        limits=(f"{device.name} production-capacity", f"{device.name} consumption-capacity"),
    )
    return Placed(device, block, None)


def _flow(program: LinearProgram, device: Device, sign: int, wear: float) -> Block | None:
    """One direction of a storage's power, or None where it never goes there."""
    most = np.maximum(device.max_kw if sign > 0 else -device.min_kw, 0.0)
    least = np.maximum(device.min_kw if sign > 0 else -device.max_kw, 0.0)
    if not most.any():
        return None
    word = "consumption" if sign > 0 else "production"
    return program.add_columns(
        f"{device.name} {'charging' if sign > 0 else 'discharging'}",
        len(most),
        (least, most),
        wear,
        limits=(
            f"{device.name} least {word}" if least.any() else None,
            f"{device.name} {word}-capacity",
        ),
    )


def modes(placed: Placed) -> Iterator[Bands]:
    """The bands of power a device keeps to, if it has any; of a step that has begun, its share."""
    device, n = placed.device, len(placed.device.min_kw)
    if not device.modes or device.running is not None:  # running.switch keeps to them then
        return
    share = per_step(device.share, n)
    edges = [0, *(np.flatnonzero(np.diff(share)) + 1).tolist(), n]
    for first, end in pairwise(edges):
        bands = tuple((low * share[first], high * share[first]) for low, high in device.modes)
        up, down = (
            None if block is None else Block(block.name, block.start + first, end - first)
            for block in (placed.up, placed.down)
        )
        yield Bands(
            device.name, up, down, bands, device.min_kw[first:end], device.max_kw[first:end]
        )


def limit_ramp(
    program: LinearProgram,
    placed: Placed,
    side: tuple[float, float],
    eased: Sequence[Term] = (),
    first: float = 0.0,
) -> None:
    """Keep the change of power from step to step within what the device can do.

    ``side`` is up (+1) or down (-1), and by how much per step; ``eased`` gives more room, as does
    ``first`` in the first step.
    """
    device, n = placed.device, len(placed.device.min_kw)
    sign, most = side
    began = device.power_before_kw
    limit = np.full(n, most)
    limit[0] = math.inf if began is None else most + sign * began + first
    before = np.arange(-1, n - 1)
    whole = sign / per_step(device.share, n)  # from the mean over a step to the power in it
    terms = [
        term
        for t in placed.power
        for term in (
            Term(t.block, whole * float(t.coefficient)),
            Term(t.block, -whole[before] * float(t.coefficient), at=before),
        )
    ]
    label = f"{device.name} ramp-{'up' if sign > 0 else 'down'}-limit"
    program.add_rows(label, (-math.inf, limit), [*terms, *eased], n=n, limits=(None, label))


def couple(program: LinearProgram, placed: Iterable[Placed]) -> None:
    """Keep the powers of coupled devices in their ratio."""
    groups: dict[str, list[Placed]] = {}
    for p in placed:
        if p.device.coupling is not None:
            groups.setdefault(p.device.coupling.name, []).append(p)
    for name, (first, *others) in groups.items():
        for other in others:
            terms = [*_level(first, 1.0), *_level(other, -1.0)]
            program.add_rows(f"coupling {name}", (0.0, 0.0), terms, n=len(first.device.min_kw))


def _level(placed: Placed, sign: float) -> list[Term]:
    """The level of a coupled device: its power over its coefficient."""
    coupling = placed.device.coupling
    scale = sign / (coupling.coefficient if coupling is not None else 1.0)
    return [Term(t.block, scale * float(t.coefficient)) for t in placed.power]
