"""Devices, the broker and all of them go away and come back, in real time, one fault at a time.

The gateway runs on through all of it: nothing crashes, the others keep their pace, health says
what is away, and control resumes by itself.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from hil.api import FAST
from hil.conftest import Bench, make_bench
from hil.pace import SPARE_LATE, Pace, disturbed, watch
from hil.programs import Do
from hil.waiting import eventually

WINDOW_S = 8.0
AWAY = {device: {device} for device in FAST} | {"broker": {"charger"}, "all": set(FAST)}
"""Which devices cannot be heard when this is gone."""
ALWAYS = {"battery", "heating"}
"""What a plan always controls; sun and car are left alone when there is nothing to gain."""


@dataclass(frozen=True)
class Running:
    """A bench that is up, and its pace when all is well."""

    bench: Bench
    calm: Pace


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with ExitStack() as stack:
        bench = make_bench(stack, tmp_path_factory.mktemp("faults"))
        bench.gateway.start_up()
        yield Running(bench, watch(bench.gateway.api, WINDOW_S))


@pytest.fixture
def running(started: Running) -> Running:
    """The same bench for every test, but each begins with everything well."""
    started.bench.site.heal()
    eventually(started.bench.gateway.api.up, within_s=30)
    return started


def holds(running: Running, assets: set[str]) -> None:
    """Fails unless the devices themselves say that they are controlled."""
    assert running.bench.site.held() >= assets


def test_every_device_is_read_all_the_time(running: Running) -> None:
    calm = running.calm
    assert min(calm.per_second.values()) > 0.5, calm
    assert max(calm.late.values()) <= SPARE_LATE, calm


@pytest.mark.parametrize(
    ("what", "do"),
    [
        ("battery", "stop"),
        ("solar", "stop"),
        ("meter", "stop"),
        ("heating", "stop"),
        ("charger", "stop"),
        ("broker", "stop"),
        ("all", "stop"),
        ("battery", "silence"),
    ],
)
def test_the_rest_of_the_site_does_not_notice(running: Running, what: str, do: Do) -> None:
    site, api = running.bench.site, running.bench.gateway.api
    held = site.held() & ALWAYS
    assert "battery" in held
    site.tell(what, do)
    pace = watch(api, WINDOW_S)

    assert running.bench.gateway.program.alive
    assert disturbed(running.calm, pace, set(FAST) - AWAY[what]) == {}
    states = api.states()
    assert {device for device in FAST if states[device] == "ok"} >= set(FAST) - AWAY[what]
    if what != "charger":  # who only speaks is missed later: see test_absence.py
        assert {states[device] for device in AWAY[what]} <= {"stale", "lost"}

    site.heal()
    healed = api.now()
    eventually(api.all_well, within_s=30)
    eventually(lambda: api.obeyed("battery", after=healed), within_s=30)
    eventually(lambda: holds(running, held), within_s=40)
    assert running.bench.gateway.program.alive
    assert api.errors() == 0
