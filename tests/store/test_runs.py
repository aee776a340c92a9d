import numpy as np

from flexedge.store.runs import anywhere, ends, starts


def test_runs_begin_and_end_where_a_column_changes() -> None:
    begin = starts(np.array([1, 1, 1, 2]), np.array([0.5, 0.5, 0.9, 0.9]))
    assert begin.tolist() == [True, False, True, True]
    assert ends(begin).tolist() == [False, True, True, True]
    assert anywhere(np.array([False, True, False, False]), begin).tolist() == [
        True, True, False, False,
    ]  # fmt: skip


def test_of_no_rows_there_are_no_runs() -> None:
    none = starts(np.array([]))
    assert len(none) == len(ends(none)) == len(anywhere(none, none)) == 0
