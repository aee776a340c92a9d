"""Blocks and terms become the sparse matrix they describe."""

import numpy as np
import pytest

from flexedge.domain.series import FloatArray
from flexedge.optim.program import Arrays, LinearProgram, Term, named


def dense(arrays: Arrays) -> FloatArray:
    matrix = np.zeros((len(arrays.row_lower), len(arrays.cost)))
    for column in range(len(arrays.cost)):
        for k in range(arrays.start[column], arrays.start[column + 1]):
            matrix[arrays.index[k], column] += arrays.value[k]
    return matrix


def test_terms_stand_where_they_should() -> None:
    program = LinearProgram()
    x = program.add_columns("x", 3, (0.0, np.array([1.0, 2.0, 3.0])), 5.0)
    y = program.add_columns("y", 1, (-1.0, np.inf))
    program.add_rows("lag", (0.0, 0.0), [Term(x), Term(x, -0.5, at=np.array([-1, 0, 1]))], n=3)
    first = np.zeros(2, dtype=np.intp)
    terms = [Term(x, 2.0, at=np.array([2, 0])), Term(y, -1.0, at=first)]
    program.add_rows("cap", (-np.inf, 9.0), terms, n=2)
    arrays = program.arrays()
    expected = [[1, 0, 0, 0], [-0.5, 1, 0, 0], [0, -0.5, 1, 0], [0, 0, 2, -1], [2, 0, 0, -1]]
    assert dense(arrays).tolist() == expected
    assert list(arrays.cost) == [5, 5, 5, 0]
    assert list(arrays.upper) == [1, 2, 3, np.inf]
    assert list(arrays.row_upper) == [0, 0, 0, 9, 9]
    assert list(y.of(np.arange(4.0))) == [3]
    assert list(x.index(np.array([2]))) == [2]


def test_zeros_are_not_stored() -> None:
    program = LinearProgram()
    x = program.add_columns("x", 2, (0.0, 1.0))
    program.add_rows("r", (0.0, 1.0), [Term(x, np.array([0.0, 1.0]))], n=2)
    assert list(program.arrays().value) == [1.0]


def test_an_empty_program_has_empty_arrays() -> None:
    arrays = LinearProgram().arrays()
    assert len(arrays.cost) == len(arrays.row_lower) == len(arrays.value) == 0
    assert list(arrays.start) == [0]


def test_a_position_has_a_name() -> None:
    program = LinearProgram()
    program.add_columns("x", 3, (0.0, 1.0), limits=("low", "high"))
    program.add_columns("y", 2, (0.0, 1.0))
    block, place = named(program.columns, 4)
    assert (block.name, place) == ("y", 1)
    assert named(program.columns, 0)[0].limits == ("low", "high")
    with pytest.raises(IndexError):
        named(program.columns, 5)


def test_a_copy_grows_alone() -> None:
    program = LinearProgram()
    program.add_columns("x", 3, (0.0, 1.0), 2.0)
    other = program.copy()
    other.add_columns("y", 2, (0.0, 1.0), integer=True)
    assert len(program.arrays().cost) == 3
    assert list(other.arrays().integer) == [0, 0, 0, 1, 1]


def test_money_is_told_by_block() -> None:
    program = LinearProgram()
    x = program.add_columns("x", 2, (0.0, 1.0), np.array([2.0, -3.0]))
    y = program.add_columns("y", 1, (0.0, 1.0), 7.0)
    assert program.cost_of(x, np.array([1.0, 1.0, 1.0])) == -1.0
    assert program.cost_of(y, np.array([1.0, 1.0, 0.5])) == 3.5
    assert list(program.turnover([x])) == [2.0, 3.0, 0.0]
