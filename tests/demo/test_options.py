from datetime import UTC, datetime

import pytest

from flexedge.demo.options import Options


def test_where_time_starts() -> None:
    spring = datetime(2026, 4, 13, 22, tzinfo=UTC).timestamp()
    assert Options(speed=600, days=2).begins_at() == spring
    assert Options(speed=600).begins_at() is None
    assert Options(days=2).begins_at() is None
    assert Options(speed=2, start="2026-04-14T00:00").begins_at() == spring
    assert Options(speed=2, start="2026-04-13T22:00+00:00").begins_at() == spring


def test_real_time_starts_now() -> None:
    with pytest.raises(ValueError, match="speed"):
        Options(start="2026-04-14T00:00").begins_at()
    with pytest.raises(ValueError, match="soon"):
        Options(speed=2, start="soon").begins_at()
