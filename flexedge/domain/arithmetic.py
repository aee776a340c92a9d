"""Sums in brackets, as FlexMeasures takes them in the place of a number: "(30/2 - 1) kW"."""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Final

_LONGEST = 80
_TWO: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_ONE: Final[Mapping[type[ast.unaryop], Callable[[float], float]]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


def value_of(text: str) -> float:
    """What numbers with + - * / and brackets come to. Raises ``ValueError``."""
    if len(text) > _LONGEST:
        raise ValueError(f"{text[:20]!r}… is too long a sum")
    try:
        return _value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ZeroDivisionError, OverflowError, RecursionError, MemoryError):
        raise ValueError(f"{text!r} is not a sum of numbers") from None


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.BinOp(left, kind, right) if type(kind) in _TWO:
            return _TWO[type(kind)](_value(left), _value(right))
        case ast.UnaryOp(kind, operand) if type(kind) in _ONE:
            return _ONE[type(kind)](_value(operand))
    raise ValueError("only + - * / and brackets stand between numbers")
