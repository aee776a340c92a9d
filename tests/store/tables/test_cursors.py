import pytest

from flexedge.domain.asset import Sensor
from flexedge.errors import StoreError
from flexedge.store.state import State


def test_positions_move_for_each_destination(state: State) -> None:
    a, b = state.sensor_id(Sensor("a", "kW")), state.sensor_id(Sensor("b", "kW"))
    assert state.cursors.of("centre") == {}
    state.cursors.move("centre", {a: 10, b: 5_000_000_000_000})
    state.cursors.move("centre", {a: 12})
    state.cursors.move("other", {a: 1})
    assert state.cursors.of("centre") == {a: 12, b: 5_000_000_000_000}
    assert state.cursors.of("other") == {a: 1}
    state.cursors.forget("centre")
    assert state.cursors.of("centre") == {}
    assert state.cursors.of("other") == {a: 1}


def test_all_move_or_none(state: State) -> None:
    a = state.sensor_id(Sensor("a", "kW"))
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        state.cursors.move("centre", {a: 10, 99: 10})
    assert state.cursors.of("centre") == {}
