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


def test_turns_are_taken_where_the_linear_program_would_do_both() -> None:
    lp = LinearProgram()
    up, down = lp.add_columns("up", 6, (0.0, 2.0)), lp.add_columns("down", 6, (0.0, 4.0))
    pair = Pair(up, down, (np.full(6, 2.0), np.full(6, 4.0)), (np.ones(6), np.ones(6)))
    point = np.array([1.0, 1.0, 1.0, 0.0, 2.0, 0.0, 2.0, 2.0, 2.0, 0.0, 0.0, 4.0])
    held = pair.mend(point, np.array([True, True, True, False, True, True])).columns.tolist()
    # shares of going up: a half, a half, a half | 1, 0
    assert held == [*down.index(np.array([0, 2, 4])), *up.index(np.array([1, 5]))]


def test_a_tightened_program_has_only_so_much_for_both_directions() -> None:
    lp, pair, bands = program()
    before = len(lp.rows)
    bands.tighten(lp)
    assert len(lp.rows) == before
    assert Model(lp).solve(10.0).objective == pytest.approx(-2 * (3 * 1.0 + 3 * 0.6))
    pair.tighten(lp)
    assert Model(lp).solve(10.0).objective == pytest.approx(-2 * 3 * 1.0)


def test_who_cannot_go_both_ways_is_not_tightened() -> None:
    lp = LinearProgram()
    up, down = lp.add_columns("up", 2, (0.0, 3.0), -1.0), lp.add_columns("down", 2, (0.0, 1e-300))
    Pair(up, down, (3 * ONES, 1e-300 * ONES), (ONES, ONES)).tighten(lp)
    assert Model(lp).solve(10.0).objective == pytest.approx(-6.0)


def test_cheating_is_tempting_where_neither_direction_costs() -> None:
    _, pair, bands = program()
    duals = np.array([-1.0, 0.0, 0.0, 0.2])
    assert pair.tempted(duals).tolist() == [True, False]
    assert bands.tempted(duals).all()
