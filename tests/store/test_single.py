from flexedge.store.rows import Beliefs
from flexedge.store.single import medians, newest, winners
from tests.store.test_asked import rows


def test_the_median_is_the_first_value_that_half_is_below() -> None:
    kept = rows(
        (1, 1, 5, 2, 0.1, 8.0), (1, 1, 5, 2, 0.5, 9.0), (1, 1, 5, 2, 0.9, 12.0),
        (1, 2, 5, 2, 0.2, 1.0), (1, 2, 5, 2, 0.8, 2.0),
        (1, 2, 5, 3, 0.1, 3.0), (1, 2, 5, 3, 0.4, 4.0),
        (1, 1, 6, 3, 0.9, 7.0),
    )  # fmt: skip
    found = medians(kept)
    assert found.value.tolist() == [9.0, 2.0, 4.0, 7.0]
    assert found.probability.tolist() == [0.5, 0.8, 0.4, 0.9]
    assert len(medians(Beliefs.empty())) == 0


def test_of_several_sources_the_one_that_spoke_last_wins() -> None:
    kept = rows(
        (1, 1, 5, 4, 0.5, 1.0), (1, 2, 5, 3, 0.5, 2.0),
        (1, 1, 6, 3, 0.5, 3.0), (1, 2, 6, 4, 0.5, 4.0),
        (1, 3, 7, 3, 0.5, 5.0), (1, 2, 7, 3, 0.5, 6.0),
        (2, 9, 5, 0, 0.5, 7.0),
    )  # fmt: skip
    assert winners(kept).value.tolist() == [1.0, 4.0, 6.0, 7.0]  # a tie: the lower number
    assert winners(kept, {2: 1}).value.tolist() == [2.0, 4.0, 6.0, 7.0]
    assert winners(kept, {3: 2}).value.tolist() == [1.0, 4.0, 5.0, 7.0]
    assert len(winners(Beliefs.empty(), {1: 1})) == 0


def test_of_each_source_the_last_belief_counts_with_all_its_probabilities() -> None:
    kept = rows(
        (2, 1, 5, 1, 0.5, 1.0),
        (1, 1, 5, 3, 0.9, 2.0), (1, 1, 5, 2, 0.5, 3.0), (1, 1, 5, 3, 0.1, 4.0),
        (1, 2, 5, 1, 0.5, 5.0), (1, 1, 4, 9, 0.5, 6.0), (1, 1, 4, 9, 0.5, 6.0),
    )  # fmt: skip
    found = newest(kept)
    assert found.value.tolist() == [6.0, 4.0, 2.0, 5.0, 1.0]
    assert found.sensor.tolist() == [1, 1, 1, 1, 2]
    assert found.source.tolist() == [1, 1, 1, 2, 1]
    assert len(newest(Beliefs.empty())) == 0
