import json
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from flexedge.config.check import load_site
from flexedge.config.settings import Settings, Web
from flexedge.daemon.clock import WallClock
from flexedge.daemon.ending import Ending
from flexedge.daemon.loops import Service
from flexedge.daemon.run import ask_again, live
from flexedge.errors import StoreLocked
from flexedge.store import lock
from flexedge.store.state import State
from tests.store.local.loop_disk import LoopDisk

SITE = """
site: {name: Hut, timezone: Europe/Amsterdam, location: {latitude: 52.4, longitude: 4.9}}
prices: {import: {fixed: 0.3 EUR/kWh}}
brokers: {local: {host: 127.0.0.1, port: 1}}
devices:
  meter: {profile: eastron-sdm630, host: 127.0.0.1, port: 1}
  hybrid: {profile: foxess-h3, host: 127.0.0.1, port: 1}
  charger: {profile: go-e-charger, broker: local, options: {serial: "1"}}
grid-connection: {device: meter}
assets:
  battery:
    {type: battery, device: hybrid, flex-model: {soc-max: 10 kWh, power-capacity: 5 kW}}
  car: {type: one-way_evse, device: charger,
        flex-model: {soc-max: 60 kWh, soc-at-start: 20 kWh, power-capacity: 11 kW}}
flex-context: {consumption-price: {sensor: import}}
"""
NOTIFY = """
import os, socket
def notify(state):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.sendto(state.encode(), os.environ["NOTIFY_SOCKET"])
    return True
"""
NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
BEGIN, HALT = 1_800_000_000.0, 60.0


class Daemon:
    """``flexedge run`` in a folder, as a service manager starts it; it logs JSON."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        clean = {name: value for name, value in os.environ.items() if "FLEXEDGE" not in name}
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flexedge", "run", "--settings", folder / "settings.yaml"],
            env=clean | environ,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def until(self, event: str) -> dict[str, Any]:
        """Read the log until something happened."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            entry: dict[str, Any] = json.loads(line)
            if entry["event"] == event:
                return entry
        raise AssertionError(f"it ended before: {event}")

    @property
    def runtime(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "data" / "runtime.json").read_text())
        return content

    def get(self, path: str) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {self.runtime['token']}"
            return session.get(self.runtime["url"] + path, timeout=10)

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Ask it to end: its exit code and the rest of its log."""
        self.process.send_signal(how)
        rest = self.process.communicate(timeout=20)[1]  # as the unit's TimeoutStopSec
        return self.process.returncode, rest

    def fail(self) -> tuple[int, str]:
        """It ends by itself: its exit code and what it said."""
        said = self.process.communicate(timeout=20)[1]
        return self.process.returncode, said

    def clear(self) -> None:
        self.process.kill()
        self.process.communicate()


Start = Callable[..., Daemon]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Daemon] = []
    (tmp_path / "site.yaml").write_text(SITE)
    settings = {
        "site": "site.yaml",
        "data-dir": "data",
        "web": {"port": 0},
        "log": {"format": "json"},
    }
    (tmp_path / "settings.yaml").write_text(json.dumps(settings))

    def make(**environ: str) -> Daemon:
        started.append(Daemon(tmp_path, environ))
        return started[-1]

    yield make
    for daemon in started:
        daemon.clear()


def test_it_serves_with_every_device_away_and_ends_in_order(start: Start) -> None:
    daemon = start()
    url = daemon.until("page")["url"]
    daemon.until("flexedge runs")
    runtime = daemon.folder / "data" / "runtime.json"
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o600
    assert daemon.runtime["url"] == url
    assert daemon.runtime["pid"] == daemon.process.pid
    assert daemon.get("/health").status_code == 200
    status = daemon.get("/api/status").json()
    assert status["site"] == "Hut"
    assert {device["name"] for device in status["devices"]} == {"meter", "hybrid", "charger"}
    code, rest = daemon.end()
    assert code == 0
    events = [json.loads(line)["event"] for line in rest.splitlines()]
    assert "every control point is released" in events
    assert "unexpected failure" not in events
    assert not runtime.exists()


def test_a_second_one_on_the_same_data_says_so_and_leaves_the_first_alone(start: Start) -> None:
    first = start()
    first.until("flexedge runs")
    code, said = start().fail()
    assert code == 75
    holder = f"another flexedge (process {first.process.pid})"
    assert said == f"flexedge: {first.folder / 'data'} is in use by {holder}\n"
    assert first.get("/health").status_code == 200
    assert first.end(signal.SIGINT)[0] == 0


def test_it_starts_again_after_a_kill(start: Start) -> None:
    first = start()
    first.until("flexedge runs")
    first.process.kill()
    first.process.wait()
    again = start()
    again.until("flexedge runs")
    assert again.end()[0] == 0


def test_a_damaged_state_is_replaced_and_told(start: Start, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "state.db").write_bytes(b"no database " * 2000)
    daemon = start()
    daemon.until("flexedge runs")
    alarms = daemon.get("/api/status").json()["alarms"]
    assert any("kept as quarantine/state.db." in json.dumps(alarm) for alarm in alarms)
    assert daemon.end()[0] == 0


def test_what_a_restore_decided_is_completed_first(start: Start, tmp_path: Path) -> None:
    new = tmp_path / "data" / "incoming" / "new"
    new.mkdir(parents=True)
    state = State(new / "state.db")
    state.hold("hybrid.battery.power", NOW)
    state.close()
    plan = {"gone": [], "come": ["state.db"]}
    (tmp_path / "data" / "incoming" / "plan").write_text(json.dumps(plan))
    daemon = start()
    daemon.until("flexedge runs")
    assert daemon.end()[0] == 0
    state = State(tmp_path / "data" / "state.db")
    assert list(state.held()) == ["hybrid.battery.power"]
    state.close()


class Timekeeper:
    """Lets a minute pass as fast as the daemon can live it, and then holds time."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.passed = threading.Event()

    def run(self) -> None:
        peer, _ = self._listening.accept()
        with peer:
            peer.sendall(struct.pack("<dd", BEGIN, 1000.0))
            while len(request := peer.recv(8)) == 8:
                (until,) = struct.unpack("<d", request)
                if until > BEGIN + HALT:
                    self.passed.set()
                    continue
                peer.sendall(struct.pack("<d", until))

    def stop(self) -> None:
        self._listening.close()


def test_devices_that_never_answer_are_lost_after_a_while(start: Start) -> None:
    keeper = Timekeeper()
    with Service("timekeeper", keeper.run, keeper.stop):
        daemon = start(FLEXEDGE_CLOCK=keeper.address)
        assert keeper.passed.wait(20)
        status = daemon.get("/api/status").json()
        assert {device["state"] for device in status["devices"]} == {"lost"}
        assert all(device["error"] for device in status["devices"])
        assert status["speed"] == 1000.0
        assert daemon.end()[0] == 0


def test_what_cannot_be_released_does_not_keep_it_from_ending(start: Start, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    state = State(tmp_path / "data" / "state.db")
    state.hold("hybrid.battery.power", NOW)
    state.close()
    daemon = start()
    daemon.until("flexedge runs")
    code, rest = daemon.end()
    assert code == 0
    assert "not every control point could be released" in rest
    state = State(tmp_path / "data" / "state.db")
    assert list(state.held()) == ["hybrid.battery.power"]  # the next start tries again
    state.close()


def test_the_service_manager_hears_of_start_life_and_end(start: Start, tmp_path: Path) -> None:
    stand_in = tmp_path / "path" / "systemd"
    stand_in.mkdir(parents=True)
    (stand_in / "__init__.py").write_text("")
    (stand_in / "daemon.py").write_text(NOTIFY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(tmp_path / "notify"))
        door.settimeout(20)
        daemon = start(
            NOTIFY_SOCKET=str(tmp_path / "notify"),
            WATCHDOG_USEC="40000",
            PYTHONPATH=str(stand_in.parent),
        )
        ready = door.recv(1000).decode()
        assert ready.splitlines()[0] == "READY=1"
        assert ready.splitlines()[1].endswith("runs Hut")
        assert door.recv(1000) == b"WATCHDOG=1"
        assert door.recv(1000) == b"WATCHDOG=1"
        assert daemon.end()[0] == 0
        last = b"WATCHDOG=1"
        while last == b"WATCHDOG=1":
            last = door.recv(1000)
        assert last == b"STOPPING=1"


def test_a_broken_site_is_told_with_its_place(start: Start, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE.replace("type: battery", "type: batery"))
    code, said = start().fail()
    assert code == 78
    assert f"{tmp_path / 'site.yaml'}:12:12: " in said
    assert "Traceback" not in said


def test_a_clock_that_nobody_keeps_is_a_clear_error(start: Start) -> None:
    code, said = start(FLEXEDGE_CLOCK="127.0.0.1:1").fail()
    assert code == 69
    assert said.startswith("flexedge: no timekeeper at 127.0.0.1:1: ")
    assert len(said.splitlines()) == 1


def test_a_port_that_is_taken_is_a_clear_error(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = start(FLEXEDGE_WEB__PORT=str(taken.getsockname()[1])).fail()
    assert code == 69
    assert "flexedge: the web page cannot listen on" in said
    assert "Traceback" not in said


def test_a_data_folder_that_cannot_be_made_is_a_clear_error(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = start(FLEXEDGE_DATA_DIR=str(tmp_path / "file" / "data")).fail()
    assert code == 69
    assert said.startswith(f"flexedge: {tmp_path / 'file' / 'data'}: ")
    assert len(said.splitlines()) == 1


def test_a_run_that_ends_for_the_clock_is_followed_by_another_on_the_same_folder(
    tmp_path: Path, ending: Ending
) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    settings = Settings(data_dir=tmp_path / "data", web=Web(port=0))
    loaded = load_site(tmp_path / "site.yaml", ())
    for again in (True, True, False):
        ending.again()
        if not again:
            signal.raise_signal(signal.SIGTERM)
        assert live(settings, loaded, ending, WallClock) is again
        assert not (tmp_path / "data" / "runtime.json").exists()
    with lock.hold(tmp_path / "data"):  # it was given back
        state = State(tmp_path / "data" / "state.db")
        assert "grid.power" in {one.name for one in state.sensors().values()}
        state.close()


@pytest.mark.disk
def test_where_the_disk_takes_no_writes_it_runs_in_memory_until_it_does(
    disk: LoopDisk, tmp_path: Path, ending: Ending
) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    data, memory = disk.folder / "data", tmp_path / "memory"
    settings = Settings(data_dir=data, memory_dir=memory, web=Web(port=0))
    loaded = load_site(tmp_path / "site.yaml", ())
    ending.again()
    assert live(settings, loaded, ending, WallClock)
    state = State(data / "state.db")
    state.remember("owner", "me")
    state.close()
    disk.unmount()
    disk.mount("ro")
    ending.again()
    assert live(settings, loaded, ending, WallClock)
    ask_again(data, ending, True, NOW)
    assert ending.wait(0) is None
    away = State(settings.stand_in / "state.db")
    assert away.fact("owner") == "me"
    away.hold("battery.battery.power", NOW)  # as if it had been killed
    away.close()
    ending.again()
    with lock.hold(data), pytest.raises(StoreLocked):  # another one that began before
        live(settings, loaded, ending, WallClock)
    assert ending.wait(0)
    disk.unmount()
    data.mkdir()  # what lies below the mount
    ask_again(data, ending, True, NOW)
    assert ending.wait(0) is None
    data.rmdir()
    disk.mount()
    ask_again(data, ending, True, NOW)
    assert ending.wait(0)
    signal.raise_signal(signal.SIGTERM)
    assert not live(settings, loaded, ending, WallClock)
    assert list(memory.iterdir()) == []
