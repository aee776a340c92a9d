from datetime import date, datetime

from flexedge.demo.place import ZONE
from flexedge.demo.trips import trip_on

_DAYS = [date.fromordinal(date(2026, 4, 13).toordinal() + i) for i in range(56)]


def test_every_workday_has_a_trip_to_work() -> None:
    for day in _DAYS:
        trip = trip_on(1, day, ZONE)
        if day.weekday() < 5:
            assert trip is not None
            leaves = datetime.fromtimestamp(trip.leaves, ZONE)
            returns = datetime.fromtimestamp(trip.returns, ZONE)
            assert leaves.date() == returns.date() == day
            assert 6 <= leaves.hour < 9
            assert 16 <= returns.hour < 20
            assert 8 <= trip.used_kwh <= 14
            hours = (trip.returns - trip.leaves) / 3600
            assert abs(trip.driving_kw * hours - trip.used_kwh) < 1e-9


def test_some_days_off_are_spent_at_home() -> None:
    outings = [trip_on(1, day, ZONE) for day in _DAYS if day.weekday() >= 5]
    assert any(trip is None for trip in outings)
    assert any(trip is not None and not trip.workday for trip in outings)
