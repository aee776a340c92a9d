"""A slice of the kills: two days of twenty sensors, five kills. ``kills.py`` does all of it."""

import random
from pathlib import Path

import pytest

from hil.interop.kills import catching, killed, undisturbed

pytestmark = pytest.mark.interop
KILLS = 5


def test_whoever_is_killed_while_it_catches_up_both_sides_end_equal(tmp_path: Path) -> None:
    with catching(tmp_path, sensors=20, days=2) as one:
        print(undisturbed(one))
        for line in killed(one, KILLS, random.Random(6)):  # noqa: S311 (repeatable)
            print(line)
        assert sum(one.kills.values()) == KILLS
        assert one.peak_mb < 400
