"""Limits give way in their order, and only as far as they must."""

import numpy as np
import pytest

from flexedge.errors import Infeasible
from flexedge.optim import elastic
from flexedge.optim.highs import solve
from flexedge.optim.program import LinearProgram, Term


def program(least: float, labels: tuple[str | None, str | None, str | None]) -> LinearProgram:
    """x + y is at least ``least``; x at most 2, y at most 3."""
    lp = LinearProgram()
    x = lp.add_columns("x", 1, (0.0, 2.0), 1.0, limits=(None, labels[0]))
    y = lp.add_columns("y", 1, (0.0, 3.0), 5.0, limits=(None, labels[1]))
    lp.add_rows("sum", (least, np.inf), [Term(x), Term(y)], n=1, limits=(labels[2], None))
    return lp


def given(lp: LinearProgram, hours: float = 1.0) -> dict[str, float]:
    found = elastic.relax(lp, (), hours, 10.0)
    return {one.limit: round(float(one.by.max()), 4) for one in found.given(found.found.primal)}


def test_the_less_important_limit_gives_way() -> None:
    assert given(program(7.0, ("a power-capacity", None, "b soc-targets"))) == {"b soc-targets": 2}
    assert given(program(7.0, ("a power-capacity", None, "x node"))) == {"a power-capacity": 2}
    assert given(program(4.0, ("a power-capacity", None, "x node"))) == {}


@pytest.mark.parametrize("minutes", [1, 5, 15, 60, 240])
def test_what_gives_way_is_the_same_at_any_resolution(minutes: int) -> None:
    """Ten steps of a small limit, or one of an important one: by time, not by number of steps."""
    lp = LinearProgram()
    n = 240 // minutes
    x = lp.add_columns("x", n, (0.0, 1.0), 0.0, limits=(None, "site-power-capacity"))
    soc = lp.add_columns("soc", n, (5.0, 9.0), 0.0, limits=("s soc-min", None))
    hours = minutes / 60
    before = np.arange(-1, n - 1)
    start = np.zeros(n)
    start[0] = 5.0
    terms = [Term(soc), Term(soc, -1.0, at=before), Term(x, -hours)]
    lp.add_rows("use", (start - 2.0 * hours, start - 2.0 * hours), terms, n=n)
    assert given(lp, hours) == {"s soc-min": 4.0}


def test_a_reserve_gives_way_down_to_empty_and_then_the_wires() -> None:
    lp = LinearProgram()
    soc = lp.add_columns("soc", 1, (3.0, 9.0), 0.0, limits=("s soc-min", "s soc-max"))
    grid = lp.add_columns("grid", 1, (0.0, 4.0), 0.0, limits=(None, "site-power-capacity"))
    lp.add_rows("use", (9.0, 9.0), [Term(soc, -1.0), Term(grid)], n=1)  # grid = 9 + soc
    assert given(lp) == {"s soc-min": 3.0, "site-power-capacity": 5.0}


def test_physics_does_not_give_way() -> None:
    with pytest.raises(Infeasible):
        elastic.relax(program(7.0, (None, None, None)), (), 1.0, 10.0)


def test_costs_and_bounds_are_those_of_the_program_again() -> None:
    lp = program(7.0, ("a power-capacity", None, None))
    found = elastic.relax(lp, (), 1.0, 10.0)
    assert [float(found.program.costs(block)[0]) for block in lp.columns] == [1.0, 5.0]
    assert lp.bounds(lp.columns[0])[1].tolist() == [2.0]  # what was given is not touched
    ((label, rows, at),) = found.watched
    assert (label, rows.size, at.tolist()) == ("a power-capacity", 1, [0])


def test_of_equal_violations_the_cheaper_is_taken() -> None:
    """Either may lie above its limit, in all by 2: y, which costs less beyond it, does."""
    lp = LinearProgram()
    parts = [lp.add_columns(name, 1, (0.0, 1.0), cost, limits=(None, f"{name} power-capacity"))
             for name, cost in (("x", 5.0), ("y", 1.0))]  # fmt: skip
    lp.add_rows("sum", (4.0, np.inf), [Term(part) for part in parts], n=1)
    found = elastic.relax(lp, (), 1.0, 10.0)
    answer = solve(found.within(1e-8), 10.0)
    assert answer.primal is not None
    given = {one.limit: round(float(one.by.max()), 4) for one in found.given(answer.primal)}
    assert given == {"y power-capacity": 2.0}


def test_every_limit_people_set_has_a_rung_and_physics_none() -> None:
    order = ["p duration", "b soc-minima", "b soc-min", "site-consumption-capacity",
             "group g power-capacity", "heat node"]  # fmt: skip
    rungs = [elastic.rank(label) for label in order]
    assert rungs == sorted(rungs, key=lambda rung: -1 if rung is None else rung)
    assert elastic.rank("b soc-targets[12]") == elastic.rank("b soc-targets")
    assert elastic.rank("battery consumption-capacity") is None


def test_the_point_of_least_violations_is_a_plan_whose_gap_nobody_knows() -> None:
    relaxed = elastic.relax(program(7.0, ("a power-capacity", None, "b duration")), (), 1.0, 10.0)
    found = relaxed.anyhow()
    assert [one.by.max() for one in relaxed.given(found.primal)] == pytest.approx([2.0])
    assert (found.gap, found.bound) == (np.inf, -np.inf)
    assert not found.answer.row_dual.any()
