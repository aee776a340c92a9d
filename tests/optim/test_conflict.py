"""Which limits contradict each other."""

import numpy as np
import pytest

from flexedge.optim.choices import Bands
from flexedge.optim.conflict import Contradiction, contradictions, only, physics
from flexedge.optim.highs import solve
from flexedge.optim.program import LinearProgram, Term

CAPACITIES = ("a power-capacity", "b power-capacity", "c power-capacity")


def program(
    least: float, *, labels: tuple[str, ...] = CAPACITIES, node: str | None = "n node"
) -> LinearProgram:
    """x + y is at least ``least``; each of x, y and z is at most 2, z stands alone."""
    lp = LinearProgram()
    x, y, _ = (lp.add_columns(name, 1, (0.0, 2.0), 1.0, limits=(None, label))
               for name, label in zip("xyz", labels, strict=True))  # fmt: skip
    lp.add_rows("sum", (least, np.inf), [Term(x), Term(y)], n=1, limits=(node, None))
    return lp


def test_a_set_has_none_that_could_stay_out() -> None:
    (found,) = contradictions(program(7.0), (), 10.0)
    assert found == Contradiction(("a power-capacity", "b power-capacity", "n node"), ())
    for label in found.limits:
        rest = {one for one in found.limits if one != label}
        assert solve(only(program(7.0), rest), 10.0).status == "optimal"
    assert solve(only(program(7.0), set(found.limits)), 10.0).status == "infeasible"


def test_where_nothing_contradicts_nothing_is_named() -> None:
    assert contradictions(program(4.0), (), 10.0) == ()


def test_what_devices_can_do_is_told_beside_what_people_set() -> None:
    labels = ("a consumption-capacity", "b consumption-capacity", "c power-capacity")
    (found,) = contradictions(program(7.0, labels=labels), (), 10.0)
    assert found.limits == ("n node",)
    assert set(found.physics) == {"a consumption-capacity", "b consumption-capacity"}


def test_each_of_several_contradictions_is_named() -> None:
    lp = program(7.0)
    w = lp.add_columns("w", 1, (0.0, 1.0), limits=(None, "d power-capacity"))
    lp.add_rows("w", (3.0, np.inf), [Term(w)], n=1, limits=("d soc-minima[1]", None))
    found = contradictions(lp, (), 10.0)
    assert {one.limits for one in found} == {
        ("a power-capacity", "b power-capacity", "n node"),
        ("d power-capacity", "d soc-minima[1]"),
    }


def test_modes_count_as_what_a_device_can_do() -> None:
    lp = LinearProgram()
    x = lp.add_columns("x", 1, (0.0, 9.0), limits=(None, "x consumption-capacity"))
    lp.add_rows("limit", (-np.inf, 3.0), [Term(x)], n=1, limits=(None, "site-power-capacity"))
    bands = Bands("x", x, None, ((5.0, 9.0),), np.zeros(1), np.full(1, 9.0))
    assert contradictions(lp, (bands,), 10.0) == (
        Contradiction(("site-power-capacity",), ("x operation-modes",)),
    )


def test_physics_alone_may_contradict_itself() -> None:
    labels = ("a consumption-capacity", "b consumption-capacity", "c consumption-capacity")
    assert set(physics(program(7.0, labels=labels, node=None), (), 10.0)) == set(labels[:2])
    assert physics(program(7.0, labels=labels), (), 10.0) == ()


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_without_time_nothing_is_named(seconds: float) -> None:
    assert contradictions(program(7.0), (), seconds) == ()
    assert physics(program(7.0), (), seconds) == ()
