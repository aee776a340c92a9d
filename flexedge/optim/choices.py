"""What a linear program cannot say: one direction at a time, one band of power out of several.

A choice tells where a point breaks it, how to repair the point by bounds on columns, and how to
decide it exactly with binaries.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray
from flexedge.optim.program import Block, IntArray, LinearProgram, Term

OVERLAP_KW = 1e-6
_NO_PRICE = 1e-6  # per kW
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Bounds for some columns of a program."""

    columns: IntArray
    lower: FloatArray
    upper: FloatArray

    @classmethod
    def join(cls, parts: "list[Bounds]") -> "Bounds":
        """Several of them; none where there are none."""
        return cls(
            np.concatenate([np.empty(0, dtype=np.int32), *(part.columns for part in parts)]),
            np.concatenate([np.empty(0), *(part.lower for part in parts)]),
            np.concatenate([np.empty(0), *(part.upper for part in parts)]),
        )


class Choice(Protocol):
    """A rule of this kind, over a number of steps."""

    @property
    def size(self) -> int:
        """In how many steps the rule holds."""

    def broken(self, primal: FloatArray) -> BoolArray:
        """The steps in which a point breaks the rule."""

    def repair(self, primal: FloatArray, where: BoolArray) -> Bounds:
        """Bounds that keep the rule in these steps, as near to a point as can be."""

    def mend(self, primal: FloatArray, where: BoolArray) -> Bounds:
        """The same, as near as can be on the whole rather than in each step."""

    def tighten(self, program: LinearProgram) -> None:
        """Add rows that points within the rule and between such points keep, and others do not."""

    def tempted(self, column_dual: FloatArray) -> BoolArray:
        """The steps in which breaking the rule would cost nothing at an optimum."""

    def decide(self, program: LinearProgram, where: BoolArray) -> None:
        """Add binaries, and rows, that keep the rule in these steps."""

    def implied(self, primal: FloatArray, where: BoolArray) -> FloatArray:
        """The values of these binaries at a point that keeps the rule."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two directions of which only one may be used in a step."""

    up: Block
    down: Block
    most: tuple[FloatArray, FloatArray]
    """Bounds of both."""
    weight: tuple[FloatArray, FloatArray]
    """What is stored per unit of both: says which of them prevails."""

    @property
    def size(self) -> int:
        """In how many steps the rule holds."""
        return self.up.size

    def broken(self, primal: FloatArray) -> BoolArray:
        """The steps in which a point uses both."""
        both: BoolArray = np.minimum(self.up.of(primal), self.down.of(primal)) > OVERLAP_KW
        return both

    def repair(self, primal: FloatArray, where: BoolArray) -> Bounds:
        """Hold the direction that does not prevail at zero."""
        net = self.weight[0] * self.up.of(primal) - self.weight[1] * self.down.of(primal)
        return self._hold(where & (net >= 0), where & (net < 0))

    def mend(self, primal: FloatArray, where: BoolArray) -> Bounds:
        """Take turns: go up in as many steps as the shares of going up add to."""
        up = self.up.of(primal) / np.maximum(self.most[0], OVERLAP_KW)
        down = self.down.of(primal) / np.maximum(self.most[1], OVERLAP_KW)
        share = np.where(up > 0, up / np.maximum(up + down, OVERLAP_KW), 0.0)
        rising = np.zeros_like(where)
        carry, before = 0.0, -1
        for step in np.flatnonzero(where).tolist():
            carry = share[step] + (carry if step == before + 1 else 0.0)
            rising[step] = carry >= 0.5  # noqa: PLR2004 - nearer to up than to down
            carry -= float(rising[step])
            before = step
        return self._hold(where & rising, where & ~rising)

    def _hold(self, rising: BoolArray, falling: BoolArray) -> Bounds:
        """Nothing goes down while it rises, nothing up while it falls."""
        columns = np.concatenate([
            self.down.index(np.flatnonzero(rising)), self.up.index(np.flatnonzero(falling))
        ])  # fmt: skip
        zero = np.zeros(len(columns))
        return Bounds(columns, zero, zero)

    def tighten(self, program: LinearProgram) -> None:
        """The more of one direction is used, the less is left of the other."""
        less = np.minimum(*self.most)
        at = np.flatnonzero(less > OVERLAP_KW)
        less = less[at]
        terms = [Term(block, less / most[at], at=at) for block, most in
                 zip((self.up, self.down), self.most, strict=True)]  # fmt: skip
        program.add_rows(f"{self.up.name} or not", (-np.inf, less), terms, n=len(at))

    def tempted(self, column_dual: FloatArray) -> BoolArray:
        """Where neither direction has a price of its own."""
        dear = np.maximum(self.up.of(column_dual), self.down.of(column_dual))
        free: BoolArray = (dear <= _NO_PRICE) & (self.most[0] > 0) & (self.most[1] > 0)
        return free

    def decide(self, program: LinearProgram, where: BoolArray) -> None:
        """One binary for each step: up or down."""
        at = np.flatnonzero(where)
        name = f"{self.up.name} or not"
        sign = program.add_columns(name, len(at), (0.0, 1.0), integer=True)
        up, down = (most[at] for most in self.most)
        n = len(at)
        terms = (Term(self.up, at=at), Term(sign, -up))
        program.add_rows(name, (-np.inf, 0.0), terms, n=n)
        terms = (Term(self.down, at=at), Term(sign, down))
        program.add_rows(name, (-np.inf, down), terms, n=n)

    def implied(self, primal: FloatArray, where: BoolArray) -> FloatArray:
        """Up (1) or down (0)."""
        return (self.up.of(primal)[where] > OVERLAP_KW).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """A power that keeps to one of several bands (from, to; consumption positive)."""

    name: str
    up: Block | None
    down: Block | None
    bands: tuple[tuple[float, float], ...]
    least: FloatArray
    most: FloatArray
    """Between which the power lies anyway; the only column is signed where ``least`` is below 0."""

    @property
    def size(self) -> int:
        """In how many steps the rule holds."""
        return len(self.least)

    def _power(self, primal: FloatArray) -> FloatArray:
        power = np.zeros(self.size)
        if self.up is not None:
            power += self.up.of(primal)
        if self.down is not None:
            power -= self.down.of(primal)
        return power

    def _away(self, power: FloatArray) -> FloatArray:
        """How far each step lies from each band, bands that are out of reach infinitely far."""
        away = np.empty((len(self.bands), self.size))
        for k, (low, high) in enumerate(self.bands):
            away[k] = np.maximum(low - power, power - high)
            away[k][(low > self.most) | (high < self.least)] = np.inf
        return np.maximum(away, 0.0)

    def broken(self, primal: FloatArray) -> BoolArray:
        """The steps in which the power lies in no band."""
        power = self._power(primal)
        inside = np.zeros(self.size, dtype=np.bool_)
        for low, high in self.bands:
            inside |= (power >= low - OVERLAP_KW) & (power <= high + OVERLAP_KW)
        return ~inside

    def repair(self, primal: FloatArray, where: BoolArray) -> Bounds:
        """Keep to the nearest band."""
        at = np.flatnonzero(where)
        nearest = self._away(self._power(primal))[:, at].argmin(axis=0)
        ends = np.array(self.bands)[nearest]
        low = np.clip(ends[:, 0], self.least[at], self.most[at])
        high = np.clip(ends[:, 1], self.least[at], self.most[at])
        if self.down is None and self.up is not None:
            return Bounds(self.up.index(at), low, high)
        parts = []
        if self.up is not None:
            up = self.up.index(at)
            parts.append(Bounds(up, np.maximum(low, 0.0), np.maximum(high, 0.0)))
        if self.down is not None:
            down = self.down.index(at)
            parts.append(Bounds(down, np.maximum(-high, 0.0), np.maximum(-low, 0.0)))
        return Bounds.join(parts)

    def mend(self, primal: FloatArray, where: BoolArray) -> Bounds:
        """Keep to the nearest band: there is no other way."""
        return self.repair(primal, where)

    def tighten(self, program: LinearProgram) -> None:
        """Between two bands there is always room."""

    def tempted(self, column_dual: FloatArray) -> BoolArray:  # noqa: ARG002
        """Any step may leave its band."""
        return np.ones(self.size, dtype=np.bool_)

    def decide(self, program: LinearProgram, where: BoolArray) -> None:
        """One binary for each band and step; exactly one of a step is 1."""
        at = np.flatnonzero(where)
        n = len(at)
        reach = [(low <= self.most[at]) & (high >= self.least[at]) for low, high in self.bands]
        if not np.all(np.any(reach, axis=0)):
            reach = [np.ones(n, dtype=np.bool_) for _ in self.bands]
        chosen = [
            program.add_columns(f"{self.name} mode {k + 1}", n, (0.0, may.astype(np.float64)),
                                integer=True)
            for k, may in enumerate(reach)
        ]  # fmt: skip
        program.add_rows(f"{self.name} one mode", (1.0, 1.0), [Term(y) for y in chosen], n=n)
        power = [Term(block, sign, at=at) for block, sign in ((self.up, 1.0), (self.down, -1.0))
                 if block is not None]  # fmt: skip
        for end, bounds in ((0, (0.0, np.inf)), (1, (-np.inf, 0.0))):
            ends = [Term(y, -band[end]) for y, band in zip(chosen, self.bands, strict=True)]
            program.add_rows(f"{self.name} modes", bounds, [*power, *ends], n=n)

    def implied(self, primal: FloatArray, where: BoolArray) -> FloatArray:
        """1 for the nearest band of each step, 0 for the others."""
        at = np.flatnonzero(where)
        nearest = self._away(self._power(primal))[:, at].argmin(axis=0)
        return np.concatenate([(nearest == k).astype(np.float64) for k in range(len(self.bands))])
