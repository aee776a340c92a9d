"""When a schedule begins and ends."""

from datetime import UTC, datetime, timedelta

import pytest

from flexedge.errors import BadField
from tests.optim.request.asking import BATTERY, asked, at

MIDNIGHT = datetime(2026, 11, 23, 23, tzinfo=UTC)


def test_the_resolution_is_asked_for_or_that_of_the_finest_power_sensor() -> None:
    assert asked([BATTERY]).problem.grid.resolution == timedelta(hours=1)
    fine = {"battery": {"unit": "kW", "resolution": "PT5M"}}
    assert asked([BATTERY], sensors=fine).problem.grid.resolution == timedelta(minutes=5)
    told = asked([BATTERY], **{"scheduling-resolution": "PT30M"}).problem.grid
    assert (told.resolution, told.n) == (timedelta(minutes=30), 8)
    wanted = asked([BATTERY], request={"resolution": "PT15M"}).problem.grid
    assert wanted.n == 16
    none = asked([{**BATTERY, "sensor": "soc"}])
    assert none.problem.grid.resolution == timedelta(minutes=15)


def test_two_days_where_nothing_is_said() -> None:
    assert asked([BATTERY], request={"duration": None}).problem.grid.n == 48


def test_targets_beyond_the_end_extend_the_schedule() -> None:
    later = {**BATTERY, "soc-targets": [{"datetime": at(7.5), "value": "9 kWh"}]}
    assert asked([later]).problem.grid.n == 8
    spanned = {**BATTERY, "soc-targets": [{"start": at(4), "duration": "PT2H", "value": "9 kWh"}]}
    assert asked([spanned]).problem.grid.n == 6


def test_targets_between_ticks_extend_it_to_the_end_of_a_step_of_their_sensor() -> None:
    later = {**BATTERY, "soc-targets": [{"datetime": at(5.1), "value": "9 kWh"}]}
    fine = {"sensor": "pv", "power-capacity": "2 kW"}
    sensors = {"pv": {"unit": "kW", "resolution": "PT15M"}}
    assert asked([later, fine], sensors=sensors).problem.grid.n == 6 * 4
    wanted = {"resolution": "PT30M"}
    assert asked([later, fine], sensors=sensors, request=wanted).problem.grid.n == 11


def test_a_start_between_ticks_is_that_of_the_tick_before() -> None:
    assert asked([BATTERY], request={"start": at(0.2)}).problem.grid.start == MIDNIGHT


def test_too_many_steps_are_refused() -> None:
    with pytest.raises(BadField, match=r"2521 steps of .*: 2520 at most"):
        asked([BATTERY], request={"duration": "PT2521H"})


def test_coarser_steps_than_the_sensors_begin_where_asked() -> None:
    asked_for = {"start": at(1), "resolution": "PT2H"}
    grid = asked([BATTERY], request=asked_for).problem.grid
    assert (grid.start, grid.n) == (MIDNIGHT + timedelta(hours=1), 2)


def test_a_target_without_a_moment_is_told_by_its_place() -> None:
    targets = [{"datetime": at(1), "value": "1 kWh"}, {"datetime": "noon", "value": "1 kWh"}]
    for wrong, path in ((targets[1], "[1].datetime"), ("noon", "[1]")):
        with pytest.raises(BadField) as caught:
            asked([{**BATTERY, "soc-targets": [targets[0], wrong]}])
        assert caught.value.path == f"flex-model[0].soc-targets{path}"
