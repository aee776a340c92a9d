import pytest

from flexedge.domain.asset import Sensor
from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.cursors import MOST_GAPS, Cursor, destination


def test_cursors_move_for_each_destination(state: State) -> None:
    a, b = state.sensor_id(Sensor("a", "kW")), state.sensor_id(Sensor("b", "kW"))
    centre, other = destination(1, ""), destination(1, "forecast")
    assert state.cursors.of(centre) == {}
    far = Cursor(5_000_000_000_000, ((10, 20), (4_000_000_000_000, 4_500_000_000_000)))
    state.cursors.move({(centre, a): Cursor(10), (centre, b): far})
    state.cursors.move({(centre, a): Cursor(12, ((3, 4),)), (other, a): Cursor(1)})
    assert state.cursors.of(centre) == {a: Cursor(12, ((3, 4),)), b: far}
    assert state.cursors.of(other) == {a: Cursor(1)}
    state.cursors.move({(centre, a): Cursor(13)})
    assert state.cursors.of(centre)[a] == Cursor(13)
    state.cursors.forget(centre, a)
    assert state.cursors.of(centre) == {b: far}
    state.cursors.forget(centre)
    assert state.cursors.of(centre) == {}
    assert state.cursors.of(other) == {a: Cursor(1)}


def test_all_move_or_none(state: State) -> None:
    a = state.sensor_id(Sensor("a", "kW"))
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        state.cursors.move({("1/", a): Cursor(10), ("1/", 99): Cursor(10)})
    assert state.cursors.of("1/") == {}


def test_of_many_gaps_the_oldest_become_one(state: State) -> None:
    a = state.sensor_id(Sensor("a", "kW"))
    gaps = tuple((10 * n, 10 * n + 1) for n in range(MOST_GAPS + 2))
    state.cursors.move({("1/", a): Cursor(1000, gaps)})
    assert state.cursors.of("1/") == {a: Cursor(1000, ((0, 21), *gaps[3:]))}


def test_a_centre_is_forgotten_as_a_whole(state: State) -> None:
    a = state.sensor_id(Sensor("a", "kW"))
    places = [destination(centre, role) for centre in (1, 11, 2) for role in ("", "forecast")]
    state.cursors.move({(place, a): Cursor(5) for place in places})
    state.cursors.forget_centre(1)
    left = [place for place in places if state.cursors.of(place)]
    assert left == places[2:]


def test_cursors_of_another_epoch_are_forgotten(state: State) -> None:
    a = state.sensor_id(Sensor("a", "kW"))
    state.cursors.move({("1/", a): Cursor(5)})
    assert state.cursors.keep_to(2**62, 99), "nobody knows of which epoch they are"
    assert state.cursors.of("1/") == {}
    state.cursors.move({("1/", a): Cursor(7)})
    assert not state.cursors.keep_to(2**62, 7)
    assert state.cursors.of("1/") == {a: Cursor(7)}
    assert state.cursors.keep_to(4, 99)
    assert state.cursors.of("1/") == {}


def test_cursors_beyond_all_numbers_there_are_are_forgotten(state: State) -> None:
    a, b = state.sensor_id(Sensor("a", "kW")), state.sensor_id(Sensor("b", "kW"))
    state.cursors.keep_to(4, 99)
    state.cursors.move({("1/", a): Cursor(5), ("1/", b): Cursor(6, ((2, 3),))})
    assert not state.cursors.keep_to(4, 5)
    assert state.cursors.of("1/") == {a: Cursor(5)}
