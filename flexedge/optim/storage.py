"""A device in the program: columns for its power and its stored energy, rows that join them."""

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.problem import Device, Problem, Storage, per_step
from flexedge.optim.program import Block, LinearProgram, Term

_QUARTER = timedelta(minutes=15)
_TINY = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Where a device stands in the program."""

    device: Device
    up: Block | None
    """Power drawn, at least 0; of a device without storage its power, whatever the sign."""
    down: Block | None
    """Power given, at least 0."""
    stock: Block | None = None
    """Energy stored at the end of each step."""
    balance: Block | None = None
    """Rows that make the stock follow from the powers."""
    repaired: tuple[Block, ...] = ()
    """Energy missing to soc-min or above soc-max, where the device alone cannot help it."""

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


def tie_break(problem: Problem) -> FloatArray:
    """What a kWh in each step may cost to decide between equals, falling to almost nothing.

    As FlexMeasures does it: 1e-4 of the spread of prices over the number of steps.
    """
    n = problem.grid.n
    spread = float(np.ptp(problem.import_price)) or float(np.abs(problem.import_price).max())
    scale: FloatArray = (1e-4 * (spread or 1.0) / n) * (np.arange(n, 0, -1) / n)
    return scale


def place(program: LinearProgram, device: Device, problem: Problem) -> Placed:
    """Add a device to the program."""
    if device.storage is None:
        return _place_plain(program, device, problem)
    up = _flow(program, f"{device.name} charging", device, +1)
    down = _flow(program, f"{device.name} discharging", device, -1)
    return _place_stock(program, Placed(device, up, down), device.storage, problem)


def _place_plain(program: LinearProgram, device: Device, problem: Problem) -> Placed:
    weight = tie_break(problem) * problem.grid.hours
    producing = bool((device.min_kw < 0).any())
    block = program.add_columns(
        f"{device.name} power",
        problem.grid.n,
        (device.min_kw, device.max_kw),
        cost=(weight if device.prefer_curtailing_later else weight[::-1]) if producing else 0.0,
        limits=(f"{device.name} production-capacity", f"{device.name} consumption-capacity"),
    )
    return Placed(device, block, None)


def _flow(program: LinearProgram, name: str, device: Device, sign: int) -> Block | None:
    """One direction of a storage's power, or None where it never goes there."""
    most = np.maximum(device.max_kw if sign > 0 else -device.min_kw, 0.0)
    least = np.maximum(device.min_kw if sign > 0 else -device.max_kw, 0.0)
    if not most.any():
        return None
    word = "consumption" if sign > 0 else "production"
    return program.add_columns(
        name,
        len(most),
        (least, most),
        limits=(
            f"{device.name} least {word}" if least.any() else None,
            f"{device.name} {word}-capacity",
        ),
    )


def _place_stock(
    program: LinearProgram, placed: Placed, storage: Storage, problem: Problem
) -> Placed:
    n, name = problem.grid.n, placed.device.name
    physics = Physics.of(storage, problem.grid)
    lowest, highest = physics.reach(placed.device, storage)
    short = bool((highest < storage.soc_min_kwh - _TINY).any())
    over = bool((lowest > storage.soc_max_kwh + _TINY).any())
    weight = tie_break(problem)
    stock = program.add_columns(
        f"{name} stock",
        n,
        (-math.inf if short else storage.soc_min_kwh, math.inf if over else storage.soc_max_kwh),
        cost=-weight if storage.prefer_charging_sooner else weight,
        limits=(f"{name} soc-min", f"{name} soc-max"),
    )
    before = np.arange(-1, n - 1)
    terms = [Term(stock), Term(stock, -physics.keep, at=before)]
    if placed.up is not None:
        terms.append(Term(placed.up, -physics.gain_up))
    if placed.down is not None:
        terms.append(Term(placed.down, physics.loss_down))
    drift = physics.drift.copy()
    drift[0] += physics.keep * storage.soc_start_kwh
    balance = program.add_rows(f"{name} balance", (drift, drift), terms, n=n)
    price = (problem.soc_breach_price or _REPAIR_PRICE) * problem.grid.hours
    repaired = tuple(
        _repair(program, f"{name} {field}", stock, (sign, bound), price)
        for wanted, field, sign, bound in (
            (short, "soc-min", -1.0, storage.soc_min_kwh),
            (over, "soc-max", +1.0, storage.soc_max_kwh),
        )
        if wanted
    )
    return Placed(placed.device, placed.up, placed.down, stock, balance, repaired)


_REPAIR_PRICE = 1_000.0  # per kWh and hour outside the band, where no soc-breach-price is set


def _repair(
    program: LinearProgram, name: str, stock: Block, side: tuple[float, float], price: float
) -> Block:
    """Let the stock lie beyond a bound, as little and as briefly as possible."""
    sign, bound = side
    beyond = program.add_columns(f"{name} repair", stock.size, (0.0, math.inf), price)
    terms = [Term(stock, sign), Term(beyond, -1.0)]
    program.add_rows(f"{name} repair", (-math.inf, sign * bound), terms, n=stock.size)
    return beyond


@dataclass(frozen=True, slots=True, eq=False)
class Physics:
    """How the stock follows from the powers: all flows arrive evenly within a step.

    stock[j] = keep * stock[j-1] + gain_up[j] * up[j] - loss_down[j] * down[j] + drift[j],
    where the energy kept of what arrives during a step is (keep - 1) / ln(keep) of it
    (FlexMeasures' linear arrival).
    """

    keep: float
    gain_up: FloatArray
    loss_down: FloatArray
    drift: FloatArray

    @classmethod
    def of(cls, storage: Storage, grid: TimeGrid) -> "Physics":
        """The physics of a storage on a grid."""
        keep = storage.storage_efficiency ** (grid.resolution / _QUARTER)
        arrives = grid.hours * (1.0 if keep == 1.0 else (keep - 1.0) / math.log(keep))
        return cls(
            keep,
            arrives * per_step(storage.charging_efficiency, grid.n),
            arrives / per_step(storage.discharging_efficiency, grid.n),
            -arrives * per_step(storage.usage_kw, grid.n),
        )

    def reach(self, device: Device, storage: Storage) -> tuple[FloatArray, FloatArray]:
        """The least and the most the device can hold at the end of each step by its own power.

        Neither follows the device beyond the far side of its band: full is enough.
        """
        rise = np.maximum(device.max_kw, 0.0) * self.gain_up
        rise += np.minimum(device.max_kw, 0.0) * self.loss_down + self.drift
        fall = np.maximum(device.min_kw, 0.0) * self.gain_up
        fall += np.minimum(device.min_kw, 0.0) * self.loss_down + self.drift
        lowest, highest = np.empty(len(rise)), np.empty(len(rise))
        low = high = storage.soc_start_kwh
        for j in range(len(rise)):
            low = max(self.keep * low + fall[j], storage.soc_min_kwh)
            high = min(self.keep * high + rise[j], storage.soc_max_kwh)
            lowest[j], highest[j] = low, high
        return lowest, highest
