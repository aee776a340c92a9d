from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.config.check import load_site
from flexedge.config.settings import Settings
from flexedge.daemon.clock import WallClock
from flexedge.daemon.compose import Composed, Relay, compose, open_store
from flexedge.domain.asset import Sensor
from flexedge.domain.belief import Reading
from flexedge.domain.schedule import Applied
from flexedge.drivers.driver import Sample
from flexedge.drivers.line import Write
from flexedge.errors import DeviceUnreachable, StoreError
from flexedge.gateway.health import Health
from tests.store.local.loop_disk import LoopDisk
from tests.store.pg_server import PgServer

CONFIG = Path(__file__).parents[2] / "config"
NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Composed]:
    with ExitStack() as stack:
        loaded = load_site(CONFIG / "home.yaml")
        yield compose(Settings(data_dir=tmp_path), loaded, WallClock(), stack)


def test_every_device_has_a_line_and_every_sensor_is_known_to_the_store(home: Composed) -> None:
    devices = {"meter", "hybrid", "inverter", "charger", "heat-pump"}
    assert set(home.assembly.line_of) == devices
    assert set(home.gateway.titles) == devices
    assert set(home.gateway.beliefs.sensors) == set(home.gateway.plant.sensors)


def test_what_lines_report_reaches_the_gateway(home: Composed) -> None:
    home.relay.read("hybrid", [Sample("battery.soc", 40.0)], {}, NOW)
    unit = home.gateway.plant.unit("battery")
    assert home.gateway.storages.soc_kwh(unit, NOW) == 4.0
    home.relay.failed("meter", DeviceUnreachable("meter", "no answer"), NOW)
    assert home.gateway.health.device("meter").error == "no answer"


def test_what_is_asked_goes_to_the_devices_line_and_wakes_its_loop(home: Composed) -> None:
    woken: list[str] = []
    home.relay.loops["192.168.1.21:502"] = lambda: woken.append("hybrid")
    home.gateway.dispatcher.submit(Write("hybrid", "battery.power", 1.0))
    home.gateway.dispatcher.submit(Write("charger", "ev.power", 0.0))  # has no loop yet
    assert woken == ["hybrid"]
    with pytest.raises(KeyError):
        home.gateway.dispatcher.submit(Write("nobody", "battery.power", 1.0))


def test_how_a_write_ends_reaches_the_dispatcher(home: Composed) -> None:
    gateway = home.gateway
    home.relay.read("meter", [Sample("grid.power", 2.0)], {}, NOW)
    samples = [Sample("battery.soc", 50.0), Sample("battery.power", 0.0)]
    home.relay.read("hybrid", samples, {}, NOW)
    gateway.dispatcher.step(NOW)
    home.relay.wrote("hybrid", "battery.power", Applied(-2.0), NOW)
    assert gateway.dispatcher.held("battery").outcome == Applied(-2.0)
    home.relay.read("hybrid", samples, {"battery.power": -2.0}, NOW)
    assert gateway.health.counts.written == 1
    assert gateway.dispatcher.held("battery").verified


def test_before_the_collector_is_there_reports_are_let_go() -> None:
    relay = Relay()
    relay.read("hybrid", [], {}, NOW)
    relay.failed("hybrid", DeviceUnreachable("hybrid", "no answer"), NOW)
    relay.wrote("hybrid", "battery.power", Applied(1.0), NOW)
    relay.wake("nobody")
    assert relay.collector is None


def test_a_damaged_journal_is_set_aside_with_an_alarm(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"no database" * 1000)
    health = Health()
    with ExitStack() as stack:
        beliefs, _ = open_store(Settings(data_dir=tmp_path), health, NOW, stack)
        assert beliefs.sensors == ()
    assert "kept as quarantine/journal.db.20260414T120000" in health.alarms["store-damaged"]
    assert (tmp_path / "quarantine" / "journal.db.20260414T120000").exists()


def test_what_was_opened_is_closed_with_the_stack(tmp_path: Path) -> None:
    for _ in range(2):
        with ExitStack() as stack:
            beliefs, _ = open_store(Settings(data_dir=tmp_path / "data"), Health(), NOW, stack)
        with pytest.raises(StoreError):
            beliefs.register(Sensor("late", "kW"))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with ExitStack() as stack, pytest.raises(StoreError, match="choose another data-dir"):
        open_store(Settings(data_dir=tmp_path / "file" / "data"), Health(), NOW, stack)


def test_a_stand_in_that_cannot_be_read_does_not_hold_up_a_start(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", memory_dir=tmp_path / "memory")
    (settings.stand_in / "journal.db").mkdir(parents=True)
    health = Health()
    with ExitStack() as stack:
        open_store(settings, health, NOW, stack)
    assert "could not be brought here" in health.alarms["stand-in"]
    assert [path.name for path in settings.memory_dir.iterdir()] == [
        f"{settings.stand_in.name}.left-0"
    ]


@pytest.mark.postgres
def test_all_may_be_on_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load_site(CONFIG / "home.yaml")
    with PgServer() as server:
        server.new_database()
        monkeypatch.setenv("PGPASSWORD", server.password)
        url = server.url("flexedge_1", password=False)
        settings = Settings(data_dir=tmp_path / "data", database=url)
        for seen in ([], [1.5]):
            with ExitStack() as stack:
                gateway = compose(settings, loaded, WallClock(), stack).gateway
                rows = gateway.beliefs.between("grid.power", NOW, NOW + timedelta(hours=1))
                assert [row.value for row in rows] == seen
                gateway.beliefs.append([Reading("grid.power", NOW, 1.5)])
                gateway.state.remember("owner", "me")
        assert server.run("select value from facts where name = 'owner'", "flexedge_1") == [("me",)]
        server.stop()
        with ExitStack() as stack, pytest.raises(StoreError, match="flexedge_1"):
            compose(settings, loaded, WallClock(), stack)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["lock"]


@pytest.mark.disk
def test_it_starts_on_a_full_disk_by_giving_up_the_ballast(disk: LoopDisk) -> None:
    settings = Settings(data_dir=disk.folder / "data")
    with ExitStack() as stack:
        beliefs, _ = open_store(settings, Health(), NOW, stack)
        beliefs.maintain(NOW)
    disk.fill()
    health = Health()
    with ExitStack() as stack:
        beliefs, state = open_store(settings, health, NOW, stack)
        beliefs.register(Sensor("late", "kW"))
        assert [one.name for one in state.sensors().values()] == ["late"]
    assert "let go of the ballast" in health.alarms["no-room"]
