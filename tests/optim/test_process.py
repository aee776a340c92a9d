"""Processes run where FlexMeasures would run them: against all possibilities."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.optim.process import BoolArray, ProcessType, Sense, place

PRICES = (
    np.array(
        [
            10,
            11,
            12,
            15,
            18,
            17,
            10.5,
            9,
            9.5,
            9,
            8.5,
            10,
            8,
            5,
            4,
            4,
            5.5,
            8,
            12,
            13,
            14,
            12.5,
            10,
            7,
        ]
    )
    / 1000
)  # fmt: skip (FlexMeasures' tutorial, part IV)


def slots(answer: BoolArray | None) -> list[int] | None:
    return None if answer is None else [int(i) for i in np.flatnonzero(answer)]


@pytest.mark.parametrize(
    ("kind", "sense", "expected"),
    [
        ("INFLEXIBLE", "MIN", [0, 1, 2, 3]),
        ("BREAKABLE", "MIN", [13, 14, 16, 23]),
        ("SHIFTABLE", "MIN", [11, 12, 13, 14]),
        ("SHIFTABLE", "MAX", [2, 3, 4, 5]),
        ("BREAKABLE", "MAX", [3, 4, 5, 20]),
        ("INFLEXIBLE", "MAX", [0, 1, 2, 3]),
    ],
)
def test_the_tutorial(kind: ProcessType, sense: Sense, expected: list[int]) -> None:
    allowed = np.arange(24) != 15
    assert slots(place(kind, 4, PRICES, allowed, sense)) == expected


def test_ties_go_to_the_earliest_in_spite_of_rounding() -> None:
    price = np.array([0.3, 0.1, 0.2, 0.3, 0.1, 0.2])
    assert slots(place("SHIFTABLE", 3, price, np.ones(6, bool))) == [0, 1, 2]
    assert slots(place("BREAKABLE", 1, price, np.ones(6, bool))) == [1]


def test_a_long_process_fills_the_window_unless_forbidden() -> None:
    price, everywhere = np.ones(3), np.ones(3, dtype=np.bool_)
    for kind in ("INFLEXIBLE", "BREAKABLE", "SHIFTABLE"):
        assert slots(place(kind, 9, price, everywhere)) == [0, 1, 2]
        assert place(kind, 9, price, np.array([True, False, True])) is None


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="for every slot"):
        place("BREAKABLE", 1, np.array([1.0, np.nan]), np.ones(2, bool))
    with pytest.raises(ValueError, match="prices for"):
        place("BREAKABLE", 1, np.ones(3), np.ones(2, bool))


def best(
    kind: ProcessType, n: int, cost: list[float], allowed: list[bool], runs: int
) -> list[int] | None:
    """By trying everything."""
    n = min(n if kind != "BREAKABLE" else n * runs, len(cost))
    window = range(len(cost))
    if kind == "BREAKABLE":
        choices = [list(c) for c in combinations(window, n)]
    else:
        begins = [s for s in range(len(cost) - n + 1) if all(allowed[s : s + n])]
        choices = [
            [slot for start in some for slot in range(start, start + n)]
            for some in combinations(begins, runs)
            if all(later - start >= n for start, later in pairwise(some))
        ]
    choices = [c for c in choices if all(allowed[i] for i in c)]
    if not choices or kind == "INFLEXIBLE":
        return choices[0] if choices else None
    return min(choices, key=lambda c: (sum(cost[i] for i in c), c))


@given(
    st.sampled_from(["INFLEXIBLE", "BREAKABLE", "SHIFTABLE"]),
    st.sampled_from(["MIN", "MAX"]),
    st.integers(1, 8),
    st.lists(
        st.tuples(st.integers(-3, 3), st.booleans() | st.just(value=True)), max_size=7, min_size=1
    ),
    st.integers(1, 3),
)
def test_no_choice_is_better_or_earlier(
    kind: ProcessType, sense: Sense, n: int, window: list[tuple[int, bool]], runs: int
) -> None:
    price = np.array([float(p) for p, _ in window])
    allowed = np.array([a for _, a in window], dtype=np.bool_)
    cost = [float(p) if sense == "MIN" else -float(p) for p, _ in window]
    expected = best(kind, n, cost, [a for _, a in window], runs)
    assert slots(place(kind, n, price, allowed, sense, runs)) == expected


def test_nothing_takes_no_time() -> None:
    for kind in ("INFLEXIBLE", "BREAKABLE", "SHIFTABLE"):
        assert slots(place(kind, 0, np.ones(3), np.ones(3, dtype=np.bool_))) == []
        assert slots(place(kind, 3, np.ones(0), np.ones(0, dtype=np.bool_))) == []
