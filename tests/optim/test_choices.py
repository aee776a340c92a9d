"""One direction, one band."""

import numpy as np
import pytest

from flexedge.optim.choices import Bands, Bounds, Pair
from flexedge.optim.highs import Model
from flexedge.optim.program import LinearProgram

ONES = np.ones(2)


def program() -> tuple[LinearProgram, Pair, Bands]:
    lp = LinearProgram()
    up = lp.add_columns("up", 2, (0.0, 3.0), -1.0)
    down = lp.add_columns("down", 2, (0.0, 3.0), -0.6)
    pair = Pair(up, down, (3 * ONES, 3 * ONES), (ONES, ONES))
    bands = Bands("d", up, down, ((-3.0, -2.0), (0.0, 0.0), (1.0, 1.5)), -3 * ONES, 3 * ONES)
    return lp, pair, bands


def test_a_point_that_uses_both_directions_breaks_a_pair() -> None:
    _, pair, _ = program()
    point = np.array([1.0, 2.0, 0.0, 1.0])
    assert pair.broken(point).tolist() == [False, True]
    bounds = pair.repair(point, np.array([True, True]))
    assert bounds.columns.tolist() == [2, 3]  # down is held at nothing
    assert (bounds.lower == 0).all()
    assert pair.implied(point, np.array([True, True])).tolist() == [1, 1]
    assert pair.repair(np.array([0.0, 1.0, 0.0, 2.0]), pair.broken(point)).columns.tolist() == [1]


def test_a_power_between_bands_goes_to_the_nearest() -> None:
    _, _, bands = program()
    point = np.array([0.9, 0.0, 0.0, 1.2])
    assert bands.size == 2
    assert bands.broken(point).tolist() == [True, True]
    bounds = bands.repair(point, np.array([True, True]))
    found = {column: (low, high) for column, low, high in
             zip(bounds.columns.tolist(), bounds.lower, bounds.upper, strict=True)}  # fmt: skip
    assert found == {0: (1.0, 1.5), 1: (0.0, 0.0), 2: (0.0, 0.0), 3: (2.0, 3.0)}
    assert bands.implied(point, np.array([True, True])).tolist() == [0, 1, 0, 0, 1, 0]


def test_binaries_decide_exactly() -> None:
    lp, pair, bands = program()
    pair.decide(lp, np.array([True, True]))
    bands.decide(lp, np.array([True, False]))
    answer = Model(lp).solve(10.0)
    assert answer.primal is not None
    assert answer.primal[:4] == pytest.approx([0.0, 3.0, 3.0, 0.0])  # down to -3 beats up to 1.5
    assert answer.objective == pytest.approx(-1.8 - 3.0)


def test_one_signed_column_may_have_bands() -> None:
    lp = LinearProgram()
    power = lp.add_columns("p", 2, (-3.0, 3.0), 1.0)
    bands = Bands("p", power, None, ((0.0, 0.0), (1.0, 2.0)), -3 * ONES, 3 * ONES)
    bounds = bands.repair(np.array([-1.0, 1.4]), np.array([True, True]))
    assert (bounds.lower.tolist(), bounds.upper.tolist()) == ([0, 1], [0, 2])
    bands.decide(lp, np.array([True, True]))
    assert Model(lp).solve(10.0).objective == pytest.approx(0.0)


def test_bands_out_of_reach_are_no_choice() -> None:
    _, _, bands = program()
    narrow = Bands("d", bands.up, bands.down, bands.bands, -ONES, 0.5 * ONES)
    assert narrow.repair(np.array([0.9, 0.9, 0.0, 0.0]), np.array([True, True])).upper.max() == 0.0


def test_bounds_join() -> None:
    assert len(Bounds.join([]).columns) == 0
