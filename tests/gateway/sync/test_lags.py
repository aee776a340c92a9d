from datetime import timedelta

from flexedge.gateway.sync.lags import Lag
from tests.gateway.sync.duties import NOW, after


def test_a_centre_is_behind_by_what_it_does_not_know_yet() -> None:
    assert Lag(1, after(20), after(5), waiting=3).behind == timedelta(minutes=15)


def test_it_is_not_behind_where_nothing_waits_or_nothing_can_be_told() -> None:
    nothing = timedelta(0)
    assert Lag(1, after(20), after(5)).behind == nothing
    assert Lag(1, None, NOW, waiting=1).behind == nothing
    assert Lag(1, NOW, None, waiting=1).behind == nothing
    assert Lag(1, NOW, after(5), waiting=1).behind == nothing
