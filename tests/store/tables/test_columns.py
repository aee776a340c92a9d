from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from flexedge.errors import StoreError
from flexedge.store.tables.database import Database
from flexedge.store.tables.models import Sensors, Sessions

AMSTERDAM = timezone(timedelta(hours=2))


def test_moments_are_whole_microseconds_of_utc(database: Database) -> None:
    moment = datetime(2155, 7, 1, 0, 30, 0, 123457, tzinfo=AMSTERDAM)
    row = {"token_hash": "a", "created": moment, "seen": datetime(1969, 12, 31, tzinfo=UTC)}
    database.execute(sa.insert(Sessions).values(row))
    kept = database.read(lambda c: c.exec_driver_sql("SELECT created, seen FROM sessions").one())
    assert tuple(kept) == (5_853_681_000_123_457, -86_400_000_000)
    found = database.read(lambda c: c.execute(sa.select(Sessions.created, Sessions.seen)).one())
    assert tuple(found) == (moment, datetime(1969, 12, 31, tzinfo=UTC))
    assert found.created.utcoffset() == timedelta(0)


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 (that is the point)
    row = {"token_hash": "a", "created": naive, "seen": naive}
    with pytest.raises(StoreError):
        database.execute(sa.insert(Sessions).values(row))


def test_spans_are_whole_microseconds(database: Database) -> None:
    row = {"key": "a", "name": "a", "unit": "kW", "resolution": timedelta(minutes=15),
           "timezone": "UTC", "attributes": {}}  # fmt: skip
    database.execute(sa.insert(Sensors).values(row))
    kept = database.read(lambda c: c.exec_driver_sql("SELECT resolution FROM sensors").scalar())
    assert kept == 900_000_000
    found = database.read(lambda c: c.scalar(sa.select(Sensors.resolution)))
    assert found == timedelta(minutes=15)
