from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexedge.domain.asset import Knowable
from flexedge.store.news import Verdict, news
from flexedge.store.rows import Beliefs
from tests.store.test_asked import T_US, H, rows

KNOWN = {1: Knowable(timedelta(hours=1)), 2: Knowable(timedelta(hours=1))}
NONE = Beliefs.empty()
Cell = tuple[int, int, int, float, float, float]


def judged(new: Beliefs, held: Beliefs = NONE) -> Verdict:
    return news(new, held, KNOWN)


def kept(verdict: Verdict) -> list[tuple[float, float]]:
    """Hours of belief times, and values."""
    hours = ((verdict.store.belief_us - T_US) / H).tolist()
    return list(zip(hours, verdict.store.value.tolist(), strict=True))


def test_all_of_a_first_batch_is_kept_but_what_is_missing() -> None:
    verdict = judged(rows((1, 1, 5, 0, 0.5, 1.0), (1, 1, 6, 0, 0.5, np.nan)))
    assert kept(verdict) == [(0, 1.0)]
    assert (len(verdict.replaced), verdict.received, verdict.unchanged) == (0, 0, 0)
    assert kept(judged(NONE)) == kept(judged(NONE, rows((1, 1, 5, 0, 0.5, 1.0)))) == []


def test_what_its_source_said_before_is_not_kept_again() -> None:
    held = rows((1, 1, 5, 1, 0.5, 1.0), (1, 1, 5, 3, 0.5, 2.0))
    again = rows((1, 1, 5, 2, 0.5, 1.0), (1, 1, 5, 4, 0.5, 2.0))
    assert (kept(judged(again, held)), judged(again, held).unchanged) == ([], 2)
    # late: at 2 the belief of 1 held; one from before it is news; another source's is none of this
    assert kept(judged(rows((1, 1, 5, 2, 0.5, 2.0)), held)) == [(2, 2.0)]
    assert kept(judged(rows((1, 1, 5, 0, 0.5, 1.0)), held)) == [(0, 1.0)]
    assert kept(judged(rows((1, 2, 5, 4, 0.5, 2.0)), held)) == [(4, 2.0)]
    assert kept(judged(rows((2, 1, 5, 4, 0.5, 2.0)), held)) == [(4, 2.0)]
    assert kept(judged(rows((1, 1, 4, 4, 0.5, 2.0)), held)) == [(4, 2.0)]


def test_back_and_forth_within_a_batch_is_news_each_time() -> None:
    batch = rows(*((1, 1, 5, t, 0.5, v) for t, v in enumerate((1.0, 1.0, 2.0, 2.0, 1.0))))
    assert kept(judged(batch)) == [(0, 1.0), (2, 2.0), (4, 1.0)]
    held = rows((1, 1, 5, 2.5, 0.5, 9.0))
    assert kept(judged(batch, held)) == [(0, 1.0), (2, 2.0), (3, 2.0), (4, 1.0)]


def test_that_a_forecast_came_true_is_news_once() -> None:
    held = rows((1, 1, 5, 5.9, 0.5, 1.0))
    measured = rows((1, 1, 5, 6, 0.5, 1.0), (1, 1, 5, 7, 0.5, 1.0))
    assert kept(judged(measured, held)) == [(6, 1.0)]
    assert kept(judged(rows((1, 1, 5, 5.5, 0.5, 1.0)), rows((1, 1, 5, 7, 0.5, 1.0)))) == [(5.5, 1)]


def test_a_belief_of_which_one_probability_changed_is_kept_whole() -> None:
    held = rows((1, 1, 5, 1, 0.1, 1.0), (1, 1, 5, 1, 0.5, 2.0), (1, 1, 5, 1, 0.9, 3.0))
    changed = rows((1, 1, 5, 2, 0.1, 1.0), (1, 1, 5, 2, 0.5, 2.0), (1, 1, 5, 2, 0.9, 4.0))
    assert [value for _, value in kept(judged(changed, held))] == [1.0, 2.0, 4.0]
    same = rows((1, 1, 5, 2, 0.1, 1.0), (1, 1, 5, 2, 0.5, 2.0), (1, 1, 5, 2, 0.9, 3.0))
    assert judged(same, held).unchanged == 3
    assert judged(rows((1, 1, 5, 2, 0.5, 2.0)), held).unchanged == 1
    further = rows((1, 1, 5, 2, 0.5, 2.0), (1, 1, 5, 2, 0.7, 2.5))
    assert len(judged(further, held).store) == 2
    also = rows((1, 1, 5, 1, 0.7, 2.5), (1, 1, 5, 1, 0.9, 3.0))
    assert kept(judged(also, held)) == [(1, 2.5)]
    assert judged(also, held).received == 1


def test_another_value_of_the_same_belief_replaces_it() -> None:
    held = rows((1, 1, 5, 1, 0.5, 1.0), (1, 1, 5, 2, 0.5, 2.0))
    verdict = judged(rows((1, 1, 5, 2, 0.5, 1.0)), held)
    assert kept(verdict) == [(2, 1.0)]  # though the belief before it says the same
    assert verdict.replaced.value.tolist() == [2.0]
    same = judged(held, held)
    assert (kept(same), len(same.replaced), same.received, same.unchanged) == ([], 0, 2, 0)


def test_the_last_word_of_a_batch_counts_and_those_before_count_as_replaced() -> None:
    batch = rows((1, 1, 5, 1, 0.5, 1.0), (1, 1, 5, 1, 0.5, 2.0), (1, 1, 5, 1, 0.5, 2.0))
    verdict = judged(batch)
    assert kept(verdict) == [(1, 2.0)]
    assert (verdict.replaced.value.tolist(), verdict.received) == ([1.0], 1)
    back = judged(batch, rows((1, 1, 5, 1, 0.5, 2.0)))
    assert (kept(back), back.replaced.value.tolist()) == ([(1, 2.0)], [2.0, 1.0])


CELLS = st.lists(
    st.tuples(
        st.sampled_from((1, 2)), st.sampled_from((1, 2)), st.sampled_from((4, 5)),
        st.sampled_from((1.0, 4.0, 5.0, 5.5, 6.0, 7.0)), st.just(0.5), st.sampled_from((1.0, 2.0)),
    ),
    min_size=1, max_size=25, unique_by=lambda cell: cell[:5],
)  # fmt: skip


def plainly(new: list[Cell], held: list[Cell]) -> set[Cell]:
    """The rule row by row, for beliefs of one value each."""
    stored: set[Cell] = set()
    for cell in sorted(new, key=lambda cell: cell[3]):
        sensor, source, event, believed, _, value = cell
        side = believed >= event + 1
        before = [
            (other[3], other[5])
            for other in {*held, *stored}
            if other[:3] == (sensor, source, event)
            and other[3] <= believed
            and (other[3] >= event + 1) == side
        ]
        if not before or max(before)[1] != value or max(before)[0] == believed != value:
            stored.add(cell)
    return stored


@settings(max_examples=200, deadline=None)
@given(CELLS, st.data())
def test_judged_as_one_row_after_another(cells: list[Cell], data: st.DataObject) -> None:
    held = data.draw(st.lists(st.sampled_from(cells), unique=True))
    new = [cell for cell in cells if cell not in held]
    if not new:
        return
    verdict = judged(rows(*new), rows(*held) if held else NONE)
    expected = plainly(new, held)
    assert len(verdict.store) + verdict.unchanged == len(new)
    found = zip(*(column.tolist() for column in verdict.store.columns().values()), strict=True)
    hours = {(s, o, (e - T_US) // H, (b - T_US) / H, p, v) for s, o, e, b, p, v in found}
    assert hours == expected
    both = Beliefs.joined([verdict.store, rows(*held) if held else NONE])
    again = judged(rows(*new), both)
    assert len(again.store) == len(again.replaced) == 0


def test_a_sensor_must_be_known() -> None:
    with pytest.raises(KeyError):
        news(rows((1, 1, 5, 0, 0.5, 1.0)), NONE, {})
