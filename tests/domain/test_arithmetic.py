import pytest

from flexedge.domain.arithmetic import value_of
from flexedge.domain.units import quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [("(30/2 - 1)", 14.0), ("(2 * (3 + 4))", 14.0), ("(-1.5e1)", -15.0), ("( 1 )", 1.0)],
)
def test_sums_come_to_numbers(text: str, value: float) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    "text",
    ["(1/0)", "(a)", "(1 if 2 else 3)", "(9**9**9)", "(True)", "('1')", "(1,)", "()", "(1",
     "(" * 200, "(" * 30 + "1e999" + ")" * 30 + " ", "(__import__('os'))", "(1 + " * 20],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"sum|between|finite"):
        quantity(f"{text} kW", "power") if "1e999" in text else value_of(text)


def test_a_sum_stands_where_a_number_does() -> None:
    assert quantity("(30/2 - 1) kW", "power") == 14.0
    assert quantity("(1/4) MW", "power") == 250.0
    with pytest.raises(ValueError, match="has no unit"):
        quantity("(30/2)", "power")
