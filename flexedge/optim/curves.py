"""Piecewise-linear curves in the program: power over state of charge, storing over drawing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray
from flexedge.optim.choices import OVERLAP_KW, BoolArray, Bounds
from flexedge.optim.commitments import Draft
from flexedge.optim.device import Curve, per_step
from flexedge.optim.placed import Placed
from flexedge.optim.program import Block, LinearProgram, Term

_ROUNDING = 1e-9  # kW


def slopes(curve: Curve) -> FloatArray:
    """The slope of each piece."""
    rise: FloatArray = np.diff(curve.y) / np.diff(curve.x)
    return rise


@dataclass(frozen=True, slots=True, eq=False)
class Filling:
    """What a taper looks at: the stock at the end of each step, where it starts, its reach.

    ``beyond`` is what lies outside the band of the stock: (sign, how much); it does not count.
    """

    level: Block
    start: float
    lowest: float
    highest: float
    beyond: tuple[tuple[float, Block], ...] = ()


def taper(draft: Draft, placed: Placed, stock: Filling) -> None:
    """Limit the power of a storage by what is stored at the start and the end of each step.

    A concave curve is lowest at one of them, so a constant power can be held all the step long.
    """
    device = placed.device
    whole = 1.0 / per_step(
        device.share, stock.level.size
    )  # from the mean over a step to the power in it
    for word, flow, curve in (
        ("charging", placed.up, device.charge_taper),
        ("discharging", placed.down, device.discharge_taper),
    ):
        if flow is None or curve is None:
            continue
        label = f"{device.name} {word}-power-curve"
        below = max(-min(_at(curve, stock.lowest), _at(curve, stock.highest)), 0.0)
        eased: list[Term] = []
        if below > _ROUNDING:  # there the curve says less than nothing: it means nothing
            program, n = draft.program, flow.size
            may = program.add_columns(f"{label} above 0", n, (0.0, 1.0), integer=True)
            terms = [Term(flow, whole), Term(may, -max(curve.y))]
            program.add_rows(label, (-math.inf, 0.0), terms, n=n)
            eased = [Term(may, below)]
        for slope, x, y in zip(slopes(curve), curve.x, curve.y, strict=False):
            if slope:
                piece = (flow, slope, y - slope * x + below)
                _limit(draft, label, piece, stock, (whole, eased))


def _limit(
    draft: Draft,
    label: str,
    piece: tuple[Block, float, float],
    stock: Filling,
    scaled: tuple[FloatArray, Sequence[Term]],
) -> None:
    """Keep a flow below one line over the stock, at both ends of each step."""
    (flow, slope, limit), (whole, eased) = piece, scaled
    n = flow.size
    for at in (np.arange(n), np.arange(-1, n - 1)):
        most = np.full(n, limit)
        if at[0] < 0:
            most[0] = max(limit + slope * stock.start, 0.0)
        terms = [Term(flow, whole), Term(stock.level, -slope, at=at), *eased]
        terms += [Term(block, sign * slope, at=at) for sign, block in stock.beyond]
        draft.program.add_rows(label, (-math.inf, most), terms, n=n, limits=(None, label))


def _at(curve: Curve, x: float) -> float:
    """A concave curve at ``x``, its outer pieces going on beyond the ends."""
    lines = [y0 + slope * (x - x0)
             for slope, x0, y0 in zip(slopes(curve), curve.x, curve.y, strict=False)]  # fmt: skip
    return float(min(lines))


@dataclass(frozen=True, slots=True, eq=False)
class OnCurve:
    """A device stays on its part-load curve: a choice, since below or above it might pay."""

    name: str
    curve: Curve
    drawn: Block
    stored: Block
    parts: tuple[Block, ...]
    """Weights of the curve's points."""
    share: FloatArray
    """Share of each step that is still to come: powers are means over whole steps."""

    @property
    def size(self) -> int:
        """In how many steps the rule holds."""
        return self.drawn.size

    def broken(self, primal: FloatArray) -> BoolArray:
        """The steps in which a point lies off the curve."""
        drawn = self.drawn.of(primal) / self.share
        away = self.stored.of(primal) / self.share - np.interp(drawn, self.curve.x, self.curve.y)
        off: BoolArray = np.abs(away) > OVERLAP_KW
        return off

    def _piece(self, primal: FloatArray) -> NDArray[np.intp]:
        """The piece of the curve that each step lies on."""
        place = np.searchsorted(self.curve.x, self.drawn.of(primal) / self.share, side="left") - 1
        piece: NDArray[np.intp] = np.clip(place, 0, len(self.parts) - 2)
        return piece

    def repair(self, primal: FloatArray, where: BoolArray) -> Bounds:
        """Keep to the piece that the power drawn lies on."""
        at = np.flatnonzero(where)
        piece, zero = self._piece(primal)[at], np.zeros(len(at))
        return Bounds.join([
            Bounds(part.index(at), zero, ((piece == k) | (piece == k - 1)).astype(np.float64))
            for k, part in enumerate(self.parts)
        ])  # fmt: skip

    def mend(self, primal: FloatArray, where: BoolArray) -> Bounds:
        """Keep to that piece: there is no other way."""
        return self.repair(primal, where)

    def tighten(self, program: LinearProgram) -> None:
        """Between two points of the curve there may be a third."""

    def tempted(self, column_dual: FloatArray) -> BoolArray:  # noqa: ARG002
        """Any step may leave the curve."""
        return np.ones(self.size, dtype=np.bool_)

    def decide(self, program: LinearProgram, where: BoolArray) -> None:
        """One binary for each piece and step: only the ends of one have weight."""
        at = np.flatnonzero(where)
        n = len(at)
        pieces = [
            program.add_columns(f"{self.name} piece {k + 1}", n, (0.0, 1.0), integer=True)
            for k in range(len(self.parts) - 1)
        ]
        program.add_rows(self.name, (1.0, 1.0), [Term(piece) for piece in pieces], n=n)
        for k, part in enumerate(self.parts):
            beside = [Term(piece, -1.0) for piece in pieces[max(k - 1, 0) : k + 1]]
            terms = [Term(part, at=at), *beside]
            program.add_rows(self.name, (-math.inf, 0.0), terms, n=n)

    def implied(self, primal: FloatArray, where: BoolArray) -> FloatArray:
        """1 for the piece of each step, 0 for the others."""
        piece = self._piece(primal)[where]
        return np.concatenate([
            (piece == k).astype(np.float64) for k in range(len(self.parts) - 1)
        ])  # fmt: skip


def part_load(draft: Draft, placed: Placed) -> OnCurve | None:
    """What a device with a part-load curve stores (kW), or None without one."""
    curve, up = placed.device.part_load, placed.up
    if curve is None or up is None:
        return None
    program, n, name = draft.program, up.size, f"{placed.device.name} part load"
    stored = program.add_columns(f"{name} stored", n, (0.0, max(curve.y)))
    parts = tuple(program.add_columns(f"{name} {x:g} kW", n, (0.0, 1.0)) for x in curve.x)
    share = per_step(placed.device.share, n)
    mean = -1.0 / share
    for block, values in ((up, curve.x), (stored, curve.y)):
        terms = [Term(part, value) for part, value in zip(parts, values, strict=True) if value]
        program.add_rows(name, (0.0, 0.0), [Term(block, mean), *terms], n=n)
    program.add_rows(name, (1.0, 1.0), [Term(part) for part in parts], n=n)
    return OnCurve(name, curve, up, stored, parts, share)
