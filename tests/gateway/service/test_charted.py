from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flexedge.errors import BadField
from flexedge.gateway.service import charted
from flexedge.gateway.service.charted import Window, read, resampled
from flexedge.store.rows import Beliefs, micros
from tests.web.api.asking import NOW, QUARTER, SCHEDULER, USER, Platform, platform

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def values(here: Platform, window: Window, *numbers: int) -> list[float]:
    state = here.parts.state
    sensors = {one: state.placed.get(one) for one in numbers}
    known = {one: sensor for one, sensor in sensors.items() if sensor is not None}
    found: list[float] = read(state, here.parts.beliefs, known, window).value.tolist()
    return found


def test_events_that_touch_the_window_are_shown(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        site = here.asset("site")
        fine = here.sensor(site, "fine")
        coarse = here.sensor(site, "coarse", resolution=HOUR)
        level = here.sensor(site, "level", "%", timedelta(0))
        here.believe(fine, NOW, [1, 2, 3, 4], NOW)
        here.believe(coarse, NOW, [10, 20], NOW)
        here.believe(level, NOW, [50, 51], NOW)
        window = Window(NOW + QUARTER, NOW + 2 * QUARTER)
        assert values(here, window, fine, coarse, level) == [2, 10, 51]
        assert values(here, Window(), coarse) == [10, 20]


def test_all_or_the_last_beliefs_until_a_moment_are_shown(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        power = here.sensor(here.asset("site"), "power")
        here.believe(power, NOW, [1], NOW - DAY)
        here.believe(power, NOW, [2], NOW)
        here.believe(power, NOW, [3], NOW, SCHEDULER)
        assert values(here, Window(), power) == [2, 3]
        assert values(here, Window(most_recent=False), power) == [1, 2, 3]
        assert values(here, Window(believed_until=NOW - HOUR), power) == [1]
        assert values(here, Window(believed_from=NOW - HOUR, most_recent=False), power) == [2, 3]


def test_of_versions_the_newest_that_says_something_is_shown(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        power = here.sensor(here.asset("site"), "power")
        here.believe(power, NOW, [1, 2], NOW, replace(SCHEDULER, version="10"))
        here.believe(power, NOW, [8, 9, 7], NOW + DAY, SCHEDULER)
        here.believe(power, NOW, [5], NOW, USER)
        assert values(here, Window(), power) == [1, 8, 5, 2, 9, 7]
        assert values(here, Window(latest_version=True), power) == [1, 5, 2, 7]
        assert values(here, Window(NOW - DAY, NOW, latest_version=True), power) == []


def test_too_much_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charted, "MOST", 3)
    with platform(tmp_path) as here:
        power = here.sensor(here.asset("site"), "power")
        here.believe(power, NOW, [1] * 4, NOW)
        with pytest.raises(BadField, match="4 values; ask for a time with 3"):
            values(here, Window(), power)
        assert len(values(here, Window(NOW, NOW + DAY), power)) == 4


def rows(*told: tuple[int, float, int]) -> Beliefs:
    n = len(told)
    start = micros(NOW)
    return Beliefs.of({
        "sensor": [1] * n, "source": [1] * n, "probability": [0.5] * n,
        "event_us": [start + quarter * 900_000_000 for quarter, _, _ in told],
        "belief_us": [at for _, _, at in told], "value": [value for _, value, _ in told],
    })  # fmt: skip


def test_finer_steps_hold_the_value_and_coarser_ones_have_the_mean() -> None:
    told = rows((0, 1.0, 5), (1, 2.0, 7), (4, 6.0, 6))
    finer = resampled(told, QUARTER, timedelta(minutes=5))
    assert finer.value.tolist() == [1, 1, 1, 2, 2, 2, 6, 6, 6]
    assert ((finer.event_us - micros(NOW)) // 60_000_000).tolist() == [0, 5, 10, 15, 20, 25, 60, 65,
                                                                       70]  # fmt: skip
    coarser = resampled(told, QUARTER, HOUR)
    assert (coarser.value.tolist(), coarser.belief_us.tolist()) == ([1.5, 6.0], [7, 6])
    for step in (None, QUARTER, timedelta(minutes=20), timedelta(minutes=10)):
        assert resampled(told, QUARTER, step) is told
    assert resampled(told, timedelta(0), HOUR) is told
    with pytest.raises(BadField, match="That is 2700000000 values"):
        resampled(told, QUARTER, timedelta(microseconds=1))
