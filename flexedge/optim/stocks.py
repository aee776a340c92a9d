"""Stocks in the program: what is stored at the end of each step, and what was asked of it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.commitments import Draft, Names, commit
from flexedge.optim.curves import Filling, OnCurve, part_load, taper
from flexedge.optim.device import SOC_BREACH_PRICE, Device, SocBound, Storage, per_step
from flexedge.optim.placed import Placed, tie_break, urgency
from flexedge.optim.problem import Problem
from flexedge.optim.program import Block, LinearProgram, Term

_TINY = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class SocCommitment:
    """Bounds of one kind on one stock: sign +1 for upper bounds, -1 for lower ones."""

    name: str
    bounds: tuple[SocBound, ...]
    sign: float
    start_kwh: float

    def missed_kwh(self, grid: TimeGrid, soc_kwh: FloatArray) -> FloatArray:
        """By how much each bound is missed when the stock runs evenly from tick to tick."""
        step, share = positions(self.bounds, grid)
        path = np.concatenate(([self.start_kwh], soc_kwh))
        there = (1 - share) * path[step] + share * path[step + 1]
        wanted = np.array([bound.soc_kwh for bound in self.bounds])
        missed: FloatArray = np.maximum(self.sign * (there - wanted), 0.0)
        return missed


@dataclass(frozen=True, slots=True, eq=False)
class Stock:
    """Where a storage stands in the program."""

    storage: Storage
    feeders: tuple[Placed, ...]
    level: Block
    """Energy stored at the end of each step."""
    balance: Block
    """Rows that make the level follow from the powers."""
    repaired: tuple[Block, ...]
    """Energy missing to soc-min or above soc-max, where the devices alone cannot help it."""
    asked: tuple[SocCommitment, ...]
    curves: tuple[OnCurve, ...] = ()
    """Part-load curves that its feeders keep to."""


def stock(draft: Draft, storage: Storage, feeders: Sequence[Placed], problem: Problem) -> Stock:
    """Add a storage to the program."""
    program = draft.program
    n, name = problem.grid.n, storage.name
    physics = Physics.of(storage, problem.grid)
    short, over = strays(physics, storage, [p.device for p in feeders])
    level = program.add_columns(
        f"{name} stock",
        n,
        (-math.inf if short else storage.soc_min_kwh, math.inf if over else storage.soc_max_kwh),
        cost=_preference(storage, feeders, problem),
        limits=(f"{name} soc-min", f"{name} soc-max"),
    )
    terms = [Term(level), Term(level, -physics.keep, at=np.arange(-1, n - 1))]
    curves = []
    for placed in feeders:
        curve = part_load(draft, placed)
        if curve is not None:
            curves.append(curve)
            terms.append(Term(curve.stored, -physics.arrives))
        elif placed.up is not None:
            terms.append(Term(placed.up, -physics.gain(placed.device)))
        if placed.down is not None:
            terms.append(Term(placed.down, physics.loss(placed.device)))
    drift = physics.drift.copy()
    drift[0] += physics.keep[0] * storage.soc_start_kwh
    balance = program.add_rows(f"{name} balance", (drift, drift), terms, n=n)
    beyond = tuple(
        (sign, _repair(program, f"{name} {field}", level, (sign, bound), _repair_price(problem)))
        for wanted, field, sign, bound in (
            (short, "soc-min", -1.0, storage.soc_min_kwh),
            (over, "soc-max", +1.0, storage.soc_max_kwh),
        )
        if wanted
    )
    for placed in feeders:
        if placed.device.charge_taper or placed.device.discharge_taper:
            ends = _between(physics, storage, [p.device for p in feeders])
            taper(draft, placed, Filling(level, storage.soc_start_kwh, *ends, beyond))
    _value_end(draft, storage, level)
    asked = tuple(_ask(draft, storage, level, problem.grid))
    repaired = tuple(block for _, block in beyond)
    return Stock(storage, tuple(feeders), level, balance, repaired, asked, tuple(curves))


def _between(
    physics: "Physics", storage: Storage, devices: Sequence[Device]
) -> tuple[float, float]:
    """The least and the most that a stock ever holds within its band."""
    lowest, highest = reach(physics, storage, devices)
    start = storage.soc_start_kwh
    low, high = min(float(lowest.min()), start), max(float(highest.max()), start)
    return max(low, storage.soc_min_kwh), min(high, storage.soc_max_kwh)


def _preference(storage: Storage, feeders: Iterable[Placed], problem: Problem) -> FloatArray:
    """Full sooner (or later), and the more so the higher the priority of what feeds it."""
    weight = tie_break(problem)
    if problem.preference is not None:
        asked = storage.prefer_charging_sooner and np.isfinite(storage.soc_max_kwh)
        weight = problem.preference * asked
    weight = weight * urgency(max(p.device.priority for p in feeders))
    if not storage.prefer_sooner_less:
        weight = np.full_like(weight, weight[0])
    return -weight if storage.prefer_charging_sooner else weight


def _repair_price(problem: Problem) -> float:
    """Per kWh and step: FlexMeasures' for missed energy, and more where energy costs above 1."""
    site = problem.site
    highest = max(float(np.abs(price).max()) for price in (site.import_price, site.export_price))
    return SOC_BREACH_PRICE * max(highest, 1.0) * problem.grid.hours


def _repair(
    program: LinearProgram, name: str, level: Block, side: tuple[float, float], price: float
) -> Block:
    """Let the stock lie beyond a bound, as little and as briefly as possible."""
    sign, bound = side
    beyond = program.add_columns(f"{name} repair", level.size, (0.0, math.inf), price)
    terms = [Term(level, sign), Term(beyond, -1.0)]
    program.add_rows(f"{name} repair", (-math.inf, sign * bound), terms, n=level.size)
    return beyond


def _value_end(draft: Draft, storage: Storage, level: Block) -> None:
    """Credit what is stored at the end: the first kWh at the first value, and so on."""
    if not storage.value_at_end:
        return
    ends = np.array([end for end, _ in storage.value_at_end])
    values = np.array([value for _, value in storage.value_at_end])
    widths = np.diff(ends, prepend=0.0)
    lower = np.zeros(len(ends))
    lower[0] = -math.inf  # energy below zero is missed at the first value
    name = f"value of stored energy {storage.name}"
    parts = draft.program.add_columns(name, len(ends), (lower, widths), -values)
    draft.ledger.open(name, parts)
    last = np.zeros(level.size)
    last[-1] = -1.0
    draft.program.add_total(name, (0.0, 0.0), [(parts, 1.0), (level, last)])


def _ask(draft: Draft, storage: Storage, level: Block, grid: TimeGrid) -> Iterable[SocCommitment]:
    """Add soc-minima, -maxima and -targets, soft where they have prices."""
    both = storage.minima_price is not None and storage.maxima_price is not None
    low, high = storage.minima_price, storage.maxima_price
    for field, sign, every, price, other in (
        ("soc-minima", -1.0, storage.minima, low, None),
        ("soc-maxima", +1.0, storage.maxima, high, None),
        ("soc-targets", -1.0, storage.targets, low if both else None, high),
        ("soc-targets", +1.0, storage.targets, high if both else None, low),
    ):
        what = field.replace("-", " ")
        names = Names(f"{storage.name} {field}", f"any {what}", f"all {what}")
        if every and price is not None:
            draft.ledger.open(names.any)
            draft.ledger.open(names.all)
        inside = [bound for bound in every if grid.start < bound.at <= grid.end]
        together: dict[str, list[SocBound]] = {}
        for bound in sorted(inside, key=lambda bound: bound.at):
            field_of = field if price is not None else bound.asked or field
            together.setdefault(f"{storage.name} {field_of}", []).append(bound)
        for label, some in together.items():
            step, share = positions(some, grid)
            before = sign * (1 - share)
            limit = sign * np.array([bound.soc_kwh for bound in some])
            limit -= np.where(step == 0, before * storage.soc_start_kwh, 0.0)
            terms = (Term(level, sign * share, at=step), Term(level, before, at=step - 1))
            asked = np.full(grid.n, np.nan)
            asked[step] = [bound.soc_kwh for bound in some]
            prices = draft.prices(price, asked, step, 0.0 if other is None else other)
            if prices.any is not None:
                prices = replace(prices, each=prices.any * [bound.hours for bound in some])
            commit(draft, replace(names, limit=label), terms, limit, prices, step)
            yield SocCommitment(label, tuple(some), sign, storage.soc_start_kwh)


def positions(
    bounds: Sequence[SocBound], grid: TimeGrid
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The step each bound lies in, and which share of it has gone by then: in (0, 1]."""
    ticks = np.array([(bound.at - grid.start) / grid.resolution for bound in bounds])
    step = np.ceil(ticks - 1e-9).astype(np.intp) - 1
    return step, np.clip(ticks - step, 0.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Physics:
    """How a stock follows from the powers: all flows arrive evenly within a step.

    stock[j] = keep[j] * stock[j-1] + Σ gain * up[j] - Σ loss * down[j] + drift[j],
    where the energy kept of what arrives during a step is (keep - 1) / ln(keep) of it
    (FlexMeasures' linear arrival).
    """

    keep: FloatArray
    arrives: FloatArray
    """Hours of a step that count."""
    drift: FloatArray

    @classmethod
    def of(cls, storage: Storage, grid: TimeGrid) -> "Physics":
        """The physics of a storage on a grid."""
        keep = per_step(storage.storage_efficiency, grid.n)
        losing = (keep < 1.0) & (keep > 0.0)
        share = np.where(keep > 0.0, 1.0, 0.0)
        share[losing] = (keep[losing] - 1.0) / np.log(keep[losing])
        arrives = grid.hours * share
        return cls(keep, arrives, -arrives * per_step(storage.usage_kw, grid.n))

    def gain(self, device: Device) -> FloatArray:
        """Energy stored per kW drawn, in each step."""
        return self.arrives * device.charging_efficiency

    def loss(self, device: Device) -> FloatArray:
        """Energy taken from the stock per kW given, in each step."""
        return self.arrives / device.discharging_efficiency

    def gain_at_most(self, device: Device) -> FloatArray:
        """Energy stored per kW drawn where it draws all it can."""
        if device.part_load is None:
            return self.gain(device)
        most = np.maximum(device.max_kw, _TINY)
        return self.stored(device, most) / most

    def stored(self, device: Device, power_kw: FloatArray) -> FloatArray:
        """What a power (or a lower one, where that stores more) adds to the stock in each step."""
        drawn = np.maximum(power_kw, 0.0) * self.gain(device)
        if device.part_load is not None:
            curve = device.part_load
            most = np.maximum.accumulate(curve.y)  # at that power or at a lower one
            part = per_step(device.share, len(power_kw))
            power = np.maximum(power_kw, 0.0) / part
            drawn = np.interp(power, curve.x, most) * part * self.arrives
        added: FloatArray = drawn + np.minimum(power_kw, 0.0) * self.loss(device)
        return added


def strays(physics: Physics, storage: Storage, devices: Sequence[Device]) -> tuple[bool, bool]:
    """Whether the devices cannot keep a stock above its least, and below its most."""
    least, most = storage.soc_min_kwh, storage.soc_max_kwh
    if least <= storage.soc_start_kwh <= most:  # mostly: in it stays who can stay at both ends
        rise, fall = _moves(physics, devices)
        with np.errstate(invalid="ignore"):
            low, high = physics.keep * least + rise, physics.keep * most + fall
        if (low >= least).all() and (high <= most).all():
            return False, False
    lowest, highest = reach(physics, storage, devices)
    return bool((highest < least - _TINY).any()), bool((lowest > most + _TINY).any())


def _moves(physics: Physics, devices: Iterable[Device]) -> tuple[FloatArray, FloatArray]:
    """The most and the least that can be added to a stock in each step."""
    rise, fall = physics.drift.copy(), physics.drift.copy()
    for device in devices:
        rise += physics.stored(device, device.max_kw)
        fall += physics.stored(device, device.min_kw)
    return rise, fall


def reach(
    physics: Physics, storage: Storage, devices: Iterable[Device]
) -> tuple[FloatArray, FloatArray]:
    """The least and the most that can be held at the end of each step by the devices' power.

    Neither goes beyond the far side of the band: full is enough.
    """
    rise, fall = _moves(physics, devices)
    lowest, highest = [], []
    low = high = storage.soc_start_kwh
    least, most = storage.soc_min_kwh, storage.soc_max_kwh
    for keep, up, down in zip(*(a.tolist() for a in (physics.keep, rise, fall)), strict=True):
        low = max(keep * low + down, least)
        high = min(keep * high + up, most)
        lowest.append(low)
        highest.append(high)
    return np.array(lowest), np.array(highest)
