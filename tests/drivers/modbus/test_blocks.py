from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.drivers.modbus.blocks import REQUEST_COST_WORDS, Block, Rules, Span, plan, split

SPANS = st.lists(
    st.builds(
        Span,
        st.sampled_from(["holding", "input"]),
        st.integers(0, 300),
        st.sampled_from([1, 2, 4]),
        st.booleans(),
    ),
    max_size=12,
)
RULES = st.builds(Rules, st.integers(1, 125), st.lists(st.integers(0, 300), max_size=3).map(tuple))


def span(address: int, count: int = 1, *, alone: bool = False, table: str = "holding") -> Span:
    return Span(table, address, count, alone)


def places(blocks: tuple[Block, ...]) -> list[tuple[int, int]]:
    return [(block.address, block.count) for block in blocks]


@given(SPANS, RULES)
def test_every_span_is_read_exactly_once_within_the_rules(spans: list[Span], rules: Rules) -> None:
    blocks = plan(spans, rules)
    covered = [one for block in blocks for one in block.spans]
    assert sorted(covered) == sorted(set(spans))
    for block in blocks:
        end = block.address + block.count
        assert all(one.table == block.table for one in block.spans)
        assert block.address == min(one.address for one in block.spans)
        assert end == max(one.end for one in block.spans)
        if len(block.spans) > 1:
            assert block.count <= rules.max_block
            assert not any(block.address < wall < end for wall in rules.never_across)
            assert not any(one.alone for one in block.spans)


@given(st.sets(st.integers(0, 200), min_size=1, max_size=8))
def test_no_other_cutting_is_cheaper(addresses: set[int]) -> None:
    ordered = sorted(addresses)

    def cost(pieces: list[list[int]]) -> int:
        return sum(REQUEST_COST_WORDS + piece[-1] + 1 - piece[0] for piece in pieces)

    gaps = range(1, len(ordered))
    best = min(
        cost([ordered[i:j] for i, j in zip((0, *cut), (*cut, len(ordered)), strict=True)])
        for n in range(len(ordered))
        for cut in combinations(gaps, n)
        if all(
            ordered[j - 1] - ordered[i] < 125
            for i, j in zip((0, *cut), (*cut, len(ordered)), strict=True)
        )
    )
    blocks = plan([span(address) for address in ordered])
    assert sum(REQUEST_COST_WORDS + block.count for block in blocks) == best


def test_a_hole_is_read_along_where_that_is_cheaper() -> None:
    near = plan([span(0), span(REQUEST_COST_WORDS)])
    far = plan([span(0), span(REQUEST_COST_WORDS + 2)])
    assert places(near) == [(0, REQUEST_COST_WORDS + 1)]
    assert places(far) == [(0, 1), (REQUEST_COST_WORDS + 2, 1)]


def test_walls_limits_tables_and_loners_are_respected() -> None:
    assert places(plan([span(13099), span(13100)], Rules(never_across=(13100,)))) == [
        (13099, 1),
        (13100, 1),
    ]
    assert places(plan([span(0, 2), span(2, 2)], Rules(max_block=3))) == [(0, 2), (2, 2)]
    assert places(plan([span(0), span(1, table="input")])) == [(0, 1), (1, 1)]
    assert places(plan([span(0), span(1, alone=True), span(2)])) == [(1, 1), (0, 3)]


@pytest.mark.parametrize(
    ("spans", "parts"),
    [
        ([span(0)], []),
        ([span(0), span(5), span(6)], [(0, 1), (5, 2)]),
        ([span(0), span(1), span(2)], [(0, 1), (1, 2)]),
    ],
)
def test_a_refused_block_is_divided(spans: list[Span], parts: list[tuple[int, int]]) -> None:
    (block,) = plan(spans)
    assert places(split(block)) == parts


@given(SPANS)
def test_dividing_ends_and_loses_nothing(spans: list[Span]) -> None:
    for block in plan(spans):
        parts = split(block)
        assert not parts or [one for part in parts for one in part.spans] == list(block.spans)
        assert all(len(part.spans) < len(block.spans) for part in parts)
