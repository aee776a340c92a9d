"""What is wired to what, on the example of a home; no device is asked anything."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.config.check import LoadedSite, load_site
from flexedge.config.settings import Settings
from flexedge.daemon.clock import WallClock
from flexedge.daemon.compose import Composed, Relay, compose
from flexedge.domain.belief import Quality, Reading
from flexedge.domain.schedule import Released, Unreachable
from flexedge.drivers.driver import Sample
from flexedge.drivers.line import Release, Write
from flexedge.errors import DeviceUnreachable, StoreError

HOME = Path(__file__).parents[2] / "config" / "home.yaml"
NOW = datetime(2026, 4, 14, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def loaded() -> LoadedSite:
    return load_site(HOME)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(site=HOME, data_dir=tmp_path / "data")


@pytest.fixture
def composed(settings: Settings, loaded: LoadedSite) -> Iterator[Composed]:
    with ExitStack() as stack:
        yield compose(settings, loaded, WallClock(), stack)


def test_every_device_has_a_driver_on_a_line(composed: Composed) -> None:
    assembly = composed.assembly
    devices = {"meter", "hybrid", "inverter", "charger", "heat-pump"}
    assert set(assembly.drivers) == set(assembly.line_of) == devices
    assert {line.name for line in assembly.lines} == {
        "192.168.1.20:502", "192.168.1.21:502", "192.168.1.22:502", "192.168.1.23:502", "charger",
    }  # fmt: skip
    assert set(composed.gateway.titles) == devices


def test_every_sensor_is_known_to_the_store(composed: Composed, loaded: LoadedSite) -> None:
    gateway = composed.gateway
    assert set(gateway.beliefs.sensors) == set(gateway.plant.sensors)
    assert set(loaded.sensors) <= set(gateway.beliefs.sensors)
    assert {"grid.power", "battery.soc", "house.power"} <= set(gateway.beliefs.sensors)


def test_a_request_of_the_dispatcher_wakes_its_line(composed: Composed) -> None:
    woken: list[str] = []
    for name in (line.name for line in composed.assembly.lines):
        composed.relay.loops[name] = lambda name=name: woken.append(name)  # type: ignore[misc]
    (control,) = composed.assembly.drivers["hybrid"].controls
    composed.gateway.dispatcher.submit(Write("hybrid", control, 1.0))
    assert woken == ["192.168.1.21:502"]
    line = composed.assembly.line_of["hybrid"]
    assert [(r.device, r.control) for r in line._inbox] == [("hybrid", control)]
    with pytest.raises(KeyError):
        composed.gateway.dispatcher.submit(Write("hybrid", "nothing", 1.0))


def test_a_request_before_the_lines_run_waits(composed: Composed) -> None:
    (control,) = composed.assembly.drivers["charger"].controls
    composed.gateway.dispatcher.submit(Release("charger", control, "test"))
    assert len(composed.assembly.line_of["charger"]._inbox) == 1


def test_what_lines_report_reaches_the_collector(composed: Composed, loaded: LoadedSite) -> None:
    relay, health = composed.relay, composed.gateway.health
    relay.failed("meter", DeviceUnreachable("meter", "no answer"), NOW)
    assert (health.device("meter").failures, health.device("meter").error) == (1, "no answer")
    point = loaded.sensors["grid.power"].point
    assert point is not None
    later = NOW + timedelta(seconds=1)
    relay.read("meter", [Sample(point, 1.5)], {}, later)
    assert health.device("meter").error is None
    composed.gateway.collector.flush(later)
    rows = composed.gateway.beliefs.between("grid.power", NOW, NOW + timedelta(hours=1))
    assert [row.value for row in rows] == [1.5]


def test_nothing_is_written_down_after_the_stack_ends(
    settings: Settings, loaded: LoadedSite
) -> None:
    with ExitStack() as stack:
        first = compose(settings, loaded, WallClock(), stack).gateway
        first.beliefs.append([Reading("grid.power", NOW, 1.5, Quality.GOOD)])
        first.beliefs.flush()
    with pytest.raises(StoreError):
        first.beliefs.energies_kwh(NOW, NOW + timedelta(hours=1))
    with ExitStack() as stack:
        second = compose(settings, loaded, WallClock(), stack).gateway
        rows = second.beliefs.between("grid.power", NOW, NOW + timedelta(hours=1))
        assert [row.value for row in rows] == [1.5]
        assert second.health.alarms == {}


def test_a_damaged_store_is_set_aside_with_an_alarm(settings: Settings, loaded: LoadedSite) -> None:
    settings.data_dir.mkdir()
    path = settings.data_dir / "beliefs.duckdb"
    damage = b"not a database" * 1000
    path.write_bytes(damage)
    with ExitStack() as stack:
        gateway = compose(settings, loaded, WallClock(), stack).gateway
        assert "beliefs.duckdb did not open, kept as " in gateway.health.alarms["store-damaged"]
        assert "grid.power" in gateway.beliefs.sensors
    (aside,) = settings.data_dir.glob("beliefs.duckdb.damaged-*")
    assert aside.read_bytes() == damage


def test_reports_before_all_is_wired_are_dropped() -> None:
    relay = Relay()
    relay.read("meter", [], {}, NOW)
    relay.failed("meter", DeviceUnreachable("meter", "no answer"), NOW)
    relay.wrote("hybrid", "power", Unreachable("no answer"), NOW)
    relay.wrote("hybrid", "power", Released("test"), NOW)
    relay.wake("charger")
