from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flexedge.store.spans import Span, joined, without

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8)
ONE = st.tuples(st.integers(0, 30), st.integers(0, 30))


def numbers(spans: list[Span] | tuple[Span, ...]) -> set[int]:
    return {n for lo, hi in spans for n in range(lo + 1, hi + 1)}


@given(SPANS)
def test_joined_spans_hold_the_same_numbers_in_as_few_as_can_be(spans: list[Span]) -> None:
    made = joined(spans)
    assert numbers(made) == numbers(spans)
    assert all(lo < hi for lo, hi in made)
    assert all(one[1] < other[0] for one, other in pairwise(made))


@given(SPANS, st.integers(1, 4))
def test_of_too_many_the_oldest_become_one_and_none_is_lost(spans: list[Span], most: int) -> None:
    whole, made = joined(spans), joined(spans, most)
    assert len(made) <= most
    assert numbers(made) >= numbers(whole)
    kept = made[1:] if len(whole) > most else made
    assert kept == whole[len(whole) - len(kept) :]


@given(SPANS, ONE)
def test_what_is_taken_out_is_gone_and_nothing_else(spans: list[Span], taken: Span) -> None:
    lo, hi = taken
    if lo <= hi:
        assert numbers(without(spans, taken)) == numbers(spans) - numbers([taken])


def test_neighbours_touch() -> None:
    assert joined([(5, 7), (1, 5), (9, 9)]) == ((1, 7),)
    assert joined([(0, 1), (2, 3), (8, 9)], 2) == ((0, 3), (8, 9))
    assert without([(0, 10)], (3, 5)) == ((0, 3), (5, 10))
