"""Which readings may drive anything."""

from datetime import UTC, datetime

import pytest

from flexedge.domain.belief import Quality, Reading

NOW = datetime(2025, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "quality", "usable"),
    [
        (1.0, Quality.GOOD, True),
        (0.0, Quality.GOOD, True),
        (1.0, Quality.DERIVED, True),
        (1.0, Quality.IMPLAUSIBLE, False),
        (None, Quality.MISSING, False),
        (None, Quality.GOOD, False),
    ],
)
def test_only_good_known_values_are_usable(
    value: float | None, quality: Quality, *, usable: bool
) -> None:
    assert Reading("grid.power", NOW, value, quality).usable is usable
