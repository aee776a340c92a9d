from hypothesis import given
from hypothesis import strategies as st

from flexedge.daemon.timeline import Timeline

S = 1_000_000


def test_it_follows_at_a_twentieth_and_stops_there() -> None:
    line = Timeline(0, 0).towards(2 * S, 100 * S)
    assert line.utc(100 * S) == 100 * S
    assert line.utc(120 * S) == 121 * S
    assert line.utc(1000 * S) == 1002 * S


@given(goals=st.lists(st.integers(-(10**15), 10**15), max_size=5))
def test_time_only_moves_forward_wherever_it_is_to_go(goals: list[int]) -> None:
    line, up, before = Timeline(0, 0), 0, 0
    for goal in goals:
        line = line.towards(goal, up)
        for _ in range(5):
            up += S
            assert line.utc(up) - before >= 19 * S // 20
            before = line.utc(up)
