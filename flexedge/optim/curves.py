"""Piecewise-linear curves in the program: power over state of charge, storing over drawing."""

import math
from collections.abc import Sequence

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim.commitments import Draft
from flexedge.optim.device import Curve, per_step
from flexedge.optim.placed import Placed
from flexedge.optim.program import Block, Term

_ROUNDING = 1e-12


def slopes(curve: Curve) -> FloatArray:
    """The slope of each piece."""
    rise: FloatArray = np.diff(curve.y) / np.diff(curve.x)
    return rise


def concave(curve: Curve) -> bool:
    """Whether no piece is steeper than the one before."""
    return bool((np.diff(slopes(curve)) <= _ROUNDING).all())


def taper(
    draft: Draft, placed: Placed, level: Block, beyond: Sequence[tuple[float, Block]]
) -> None:
    """Limit the power of a storage by what is stored at the end of each step.

    ``beyond`` is what lies outside the band of the stock: (sign, how much); it does not count.
    """
    device = placed.device
    whole = 1.0 / per_step(device.share, level.size)  # from the mean over a step to the power in it
    for word, flow, curve in (
        ("charging", placed.up, device.charge_taper),
        ("discharging", placed.down, device.discharge_taper),
    ):
        if flow is None or curve is None:
            continue
        label = f"{device.name} {word}-power-curve"
        for slope, x, y in zip(slopes(curve), curve.x, curve.y, strict=False):
            terms = [Term(flow, whole), Term(level, -slope)]
            terms += [Term(block, sign * slope) for sign, block in beyond]
            limit = y - slope * x
            draft.program.add_rows(label, (-math.inf, limit), terms, n=level.size,
                                   limits=(None, label))  # fmt: skip


def part_load(draft: Draft, placed: Placed, *, wasting_pays: bool) -> Block | None:
    """The stored power (kW) of a device with a part-load curve, or None without one.

    Integer columns keep it on the curve where the linear program might leave it: a curve that is
    not concave, or prices at which wasting energy pays.
    """
    curve, up = placed.device.part_load, placed.up
    if curve is None or up is None:
        return None
    program, n, name = draft.program, up.size, f"{placed.device.name} part load"
    stored = program.add_columns(f"{name} stored", n, (0.0, max(curve.y)))
    parts = [program.add_columns(f"{name} {x:g} kW", n, (0.0, 1.0)) for x in curve.x]
    mean = -1.0 / per_step(placed.device.share, n)
    for block, values in ((up, curve.x), (stored, curve.y)):
        terms = [Term(part, value) for part, value in zip(parts, values, strict=True) if value]
        program.add_rows(name, (0.0, 0.0), [Term(block, mean), *terms], n=n)
    program.add_rows(name, (1.0, 1.0), [Term(part) for part in parts], n=n)
    if wasting_pays or not concave(curve):
        _neighbours(draft, name, parts)
    return stored


def _neighbours(draft: Draft, name: str, parts: Sequence[Block]) -> None:
    """Let only the two ends of one piece have weight."""
    program, n = draft.program, parts[0].size
    pieces = [
        program.add_columns(f"{name} piece {k + 1}", n, (0.0, 1.0), integer=True)
        for k in range(len(parts) - 1)
    ]
    program.add_rows(name, (1.0, 1.0), [Term(piece) for piece in pieces], n=n)
    for k, part in enumerate(parts):
        beside = [Term(piece, -1.0) for piece in pieces[max(k - 1, 0) : k + 1]]
        program.add_rows(name, (-math.inf, 0.0), [Term(part), *beside], n=n)
