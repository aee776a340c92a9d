from datetime import timedelta

import numpy as np
import pytest

from flexedge.store.resample import resampled
from flexedge.store.rows import Beliefs
from tests.store.test_asked import T_US, H, rows

HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)


def told(found: Beliefs) -> list[tuple[float, float, float]]:
    """Event and belief time in hours, value."""
    hours = [((us - T_US) / H).tolist() for us in (found.event_us, found.belief_us)]
    return list(zip(*hours, found.value.tolist(), strict=True))


def test_power_is_the_mean_of_the_parts_there_are_and_energy_takes_all() -> None:
    kept = rows(
        (1, 1, 2, 0, 0.5, 1.0), (1, 1, 3, 1, 0.5, 3.0),
        (1, 1, 4, 0, 0.5, 5.0), (1, 1, 8, 0, 0.5, 7.0), (1, 1, 9, 0, 0.5, np.nan),
    )  # fmt: skip
    mean = resampled(kept, HOUR, 2 * HOUR)
    assert told(mean)[-3:] == [(2, 1, 2.0), (4, 0, 5.0), (8, 0, 7.0)]
    assert told(resampled(kept, HOUR, 2 * HOUR, "sum")) == [(2, 1, 4.0)]


def test_a_history_is_told_whole_by_what_was_believed_of_the_parts_at_the_time() -> None:
    kept = rows(
        (1, 1, 2, 0, 0.5, 1.0), (1, 1, 2, 2, 0.5, 2.0),
        (1, 1, 3, 1, 0.5, 4.0), (1, 1, 3, 2, 0.5, 6.0),
    )  # fmt: skip
    assert told(resampled(kept, HOUR, 2 * HOUR)) == [(2, 0, 1.0), (2, 1, 2.5), (2, 2, 4.0)]
    assert told(resampled(kept, HOUR, 2 * HOUR, "sum")) == [(2, 1, 5.0), (2, 2, 8.0)]


def test_sensors_sources_and_probabilities_are_kept_apart() -> None:
    kept = rows(
        (1, 1, 2, 0, 0.1, 1.0), (1, 1, 2, 0, 0.9, 2.0), (1, 2, 2, 0, 0.5, 3.0),
        (1, 1, 3, 0, 0.1, 5.0), (1, 1, 3, 0, 0.9, 6.0), (2, 1, 3, 0, 0.1, 9.0),
    )  # fmt: skip
    found = resampled(kept, HOUR, 2 * HOUR)
    assert found.value.tolist() == [3.0, 4.0, 3.0, 9.0]
    assert found.source.tolist() == [1, 1, 2, 1]


def test_shorter_events_repeat_a_power_and_share_an_energy() -> None:
    kept = rows((1, 1, 2, 0, 0.5, 8.0), (1, 1, 4, 1, 0.5, 4.0))
    repeated = told(resampled(kept, HOUR, QUARTER))
    assert repeated[:5] == [(2, 0, 8), (2.25, 0, 8), (2.5, 0, 8), (2.75, 0, 8), (4, 1, 4)]
    assert len(repeated) == 8
    assert resampled(kept, HOUR, QUARTER, "sum").value.tolist() == [2.0] * 4 + [1.0] * 4
    two = rows((1, 1, 2, 0, 0.5, 8.0), (1, 2, 2, 0, 0.5, 4.0))
    assert resampled(two, HOUR, HOUR / 2).source.tolist() == [1, 2, 1, 2]


def test_of_instants_those_on_ticks_are_picked() -> None:
    kept = rows((1, 1, 2, 0, 0.5, 1.0), (1, 1, 3, 0, 0.5, 2.0), (1, 1, 4, 0, 0.5, 3.0))
    assert told(resampled(kept, timedelta(0), 2 * HOUR)) == [(2, 0, 1.0), (4, 0, 3.0)]
    shifted = resampled(kept, timedelta(0), 2 * HOUR, origin_us=T_US + H)
    assert told(shifted) == [(3, 0, 2.0)]


def test_wholes_begin_where_is_said() -> None:
    kept = rows((1, 1, 2, 0, 0.5, 1.0), (1, 1, 3, 0, 0.5, 3.0), (1, 1, 4, 0, 0.5, 5.0))
    found = resampled(kept, HOUR, 2 * HOUR, origin_us=T_US + H)
    assert told(found) == [(1, 0, 1.0), (3, 0, 4.0)]


def test_what_fits_or_is_empty_stays_and_what_does_not_fit_is_refused() -> None:
    kept = rows((1, 1, 2, 0, 0.5, 1.0))
    assert resampled(kept, HOUR, HOUR) is kept
    assert len(resampled(Beliefs.empty(), HOUR, 2 * HOUR)) == 0
    with pytest.raises(ValueError, match="neither a multiple nor a divisor"):
        resampled(kept, HOUR, timedelta(minutes=45))
    with pytest.raises(ValueError, match="above 0"):
        resampled(kept, HOUR, timedelta(0))
