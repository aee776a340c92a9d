"""A linear program as named blocks of columns and rows: sparse arrays, no objects per variable."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray

IntArray = NDArray[np.int32]
Limits = tuple[str | None, str | None]
"""What people call the lower and the upper bounds of a block; None for what nobody set."""


@dataclass(frozen=True, slots=True)
class Block:
    """``size`` columns (or rows) from ``start`` on that mean the same in each step."""

    name: str
    start: int
    size: int
    limits: Limits = (None, None)

    def of(self, vector: FloatArray) -> FloatArray:
        """This block's part of a vector over all columns (or rows)."""
        return vector[self.start : self.start + self.size]

    def index(self, at: NDArray[np.intp] | None = None) -> IntArray:
        """Positions of the block's members ``at`` (of all of them) among all columns (or rows)."""
        members = np.arange(self.size) if at is None else at
        return (members + self.start).astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """Block times coefficient, as it stands in a block of rows.

    Row i holds ``coefficient[i]`` (or the one number) at the block's column ``at[i]``: i itself
    when ``at`` is None, none where it is negative.
    """

    block: Block
    coefficient: FloatArray | float = 1.0
    at: NDArray[np.intp] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """The program as a solver takes it: the matrix by columns (CSC), and which are integers."""

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    start: IntArray
    index: IntArray
    value: FloatArray
    integer: IntArray


@dataclass(slots=True)
class LinearProgram:
    """Minimise cost · x with lower ≤ x ≤ upper and row_lower ≤ A x ≤ row_upper."""

    columns: list[Block] = field(default_factory=list)
    rows: list[Block] = field(default_factory=list)
    _column_data: list[FloatArray] = field(default_factory=list)  # (4, n): cost, bounds, integer
    _row_data: list[FloatArray] = field(default_factory=list)  # (2, n): bounds
    _row_index: list[NDArray[np.intp]] = field(default_factory=list)
    _column_index: list[NDArray[np.intp]] = field(default_factory=list)
    _value: list[FloatArray] = field(default_factory=list)

    def add_columns(
        self,
        name: str,
        n: int,
        bounds: tuple[FloatArray | float, FloatArray | float],
        cost: FloatArray | float = 0.0,
        *,
        limits: Limits = (None, None),
        integer: bool = False,
    ) -> Block:
        """Add ``n`` variables with their bounds and their cost per unit."""
        data = np.empty((4, n))
        data[0], data[1], data[2], data[3] = cost, bounds[0], bounds[1], float(integer)
        self._column_data.append(data)
        return _append(self.columns, Block(name, _end(self.columns), n, limits))

    def add_rows(
        self,
        name: str,
        bounds: tuple[FloatArray | float, FloatArray | float],
        terms: Sequence[Term],
        *,
        n: int,
        limits: Limits = (None, None),
    ) -> Block:
        """Add ``n`` rows: bounds[0] ≤ sum of terms ≤ bounds[1]. No column twice in one row."""
        data = np.empty((2, n))
        data[0], data[1] = bounds
        self._row_data.append(data)
        block = _append(self.rows, Block(name, _end(self.rows), n, limits))
        rows = np.arange(n)
        for term in terms:
            at = rows if term.at is None else term.at
            there = at >= 0
            value = np.broadcast_to(np.asarray(term.coefficient, dtype=np.float64), (n,))
            self._row_index.append(rows[there] + block.start)
            self._column_index.append(at[there] + term.block.start)
            self._value.append(value[there])
        return block

    def add_total(
        self,
        name: str,
        bounds: tuple[float, float],
        parts: Sequence[tuple[Block, FloatArray | float]],
        *,
        limits: Limits = (None, None),
    ) -> Block:
        """Add one row over all columns of some blocks, each with its coefficients."""
        self._row_data.append(np.array([[bounds[0]], [bounds[1]]]))
        row = _append(self.rows, Block(name, _end(self.rows), 1, limits))
        for block, coefficients in parts:
            columns = np.arange(block.start, block.start + block.size)
            self._row_index.append(np.full(block.size, row.start))
            self._column_index.append(columns)
            value = np.broadcast_to(np.asarray(coefficients, dtype=np.float64), (block.size,))
            self._value.append(value)
        return row

    def extend_rows(self, rows: Block, term: Term) -> None:
        """Add a term to rows that exist: no column that they hold already."""
        at = np.arange(rows.size) if term.at is None else term.at
        value = np.broadcast_to(np.asarray(term.coefficient, dtype=np.float64), (rows.size,))
        self._row_index.append(np.arange(rows.size) + rows.start)
        self._column_index.append(at + term.block.start)
        self._value.append(value)

    def _position(self, block: Block) -> int:
        """Where a block of columns stands among all; those without columns come before others."""
        position = bisect_left(self.columns, block.start, key=lambda one: one.start)
        while self.columns[position] != block:
            position += 1
        return position

    def bounds(self, block: Block) -> tuple[FloatArray, FloatArray]:
        """The bounds of the columns of a block."""
        data = self._column_data[self._position(block)]
        return data[1], data[2]

    def set_bounds(
        self, block: Block, lower: FloatArray | float, upper: FloatArray | float
    ) -> None:
        """Give the columns of a block other bounds; copies of this program keep theirs."""
        self._replace(block, 1, lower)
        self._replace(block, 2, upper)

    def set_costs(self, block: Block, cost: FloatArray | float) -> None:
        """Give the columns of a block other costs; copies of this program keep theirs."""
        self._replace(block, 0, cost)

    def _replace(self, block: Block, row: int, value: FloatArray | float) -> None:
        position = self._position(block)
        data = self._column_data[position].copy()
        data[row] = value
        self._column_data[position] = data

    def costs(self, block: Block) -> FloatArray:
        """The cost per unit of the columns of a block."""
        cost: FloatArray = self._column_data[self._position(block)][0]
        return cost

    def arrays(self) -> Arrays:
        """The whole program, ready for a solver."""
        columns = np.concatenate([*self._column_data, np.empty((4, 0))], axis=1)
        rows = np.concatenate([*self._row_data, np.empty((2, 0))], axis=1)
        row_index = np.concatenate([*self._row_index, np.empty(0, dtype=np.intp)])
        column_index = np.concatenate([*self._column_index, np.empty(0, dtype=np.intp)])
        value = np.concatenate([*self._value, np.empty(0)])
        kept = np.flatnonzero(value)
        order = kept[np.argsort(column_index[kept], kind="stable")]
        counts = np.bincount(column_index[order], minlength=columns.shape[1])
        return Arrays(
            cost=columns[0],
            lower=columns[1],
            upper=columns[2],
            row_lower=rows[0],
            row_upper=rows[1],
            start=np.concatenate(([0], np.cumsum(counts))).astype(np.int32),
            index=row_index[order].astype(np.int32),
            value=value[order],
            integer=columns[3].astype(np.int32),
        )

    @property
    def width(self) -> int:
        """How many columns there are."""
        return _end(self.columns)

    def integers(self) -> NDArray[np.bool_]:
        """Which columns are integers."""
        whole: NDArray[np.bool_] = np.concatenate(
            [np.empty(0), *(data[3] for data in self._column_data)]
        ) > 0  # fmt: skip
        return whole

    def copy(self) -> "LinearProgram":
        """A program to add to without touching this one."""
        return LinearProgram(
            list(self.columns), list(self.rows), list(self._column_data), list(self._row_data),
            list(self._row_index), list(self._column_index), list(self._value),
        )  # fmt: skip

    def turnover(self, blocks: Sequence[Block]) -> FloatArray:
        """The absolute cost of the columns in these blocks, 0 for all others."""
        weight = np.zeros(_end(self.columns))
        for block in blocks:
            block.of(weight)[:] = np.abs(self._column_data[self._position(block)][0])
        return weight

    def cost_of(self, block: Block, primal: FloatArray) -> float:
        """What a block of columns contributes to the objective."""
        data = self._column_data[self._position(block)]
        return float(data[0] @ block.of(primal))


def _end(blocks: list[Block]) -> int:
    return blocks[-1].start + blocks[-1].size if blocks else 0


def _append(blocks: list[Block], block: Block) -> Block:
    blocks.append(block)
    return block


def named(blocks: Sequence[Block], position: int) -> tuple[Block, int]:
    """The block a column (or row) belongs to, and its place in it."""
    for block in blocks:
        if block.start <= position < block.start + block.size:
            return block, position - block.start
    raise IndexError(position)
