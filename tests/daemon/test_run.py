"""The daemon as its own process, on a site whose devices refuse every connection."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

PATIENCE_S = 30.0
_SITE = """\
site: {{name: Hut, timezone: Europe/Amsterdam, location: {{latitude: 52.4, longitude: 4.9}}}}
prices: {{import: {{fixed: 0.30 EUR/kWh}}, feed-in: {{fixed: 0.08 EUR/kWh}}}}
devices:
  meter: {{profile: eastron-sdm630, host: 127.0.0.1, port: {port}}}
  hybrid: {{profile: foxess-h3, host: 127.0.0.1, port: {port}}}
grid-connection: {{device: meter}}
assets:
  battery:
    type: battery
    device: hybrid
    flex-model: {{soc-min: 1 kWh, soc-max: 10 kWh, power-capacity: 5 kW}}
  house: {{type: building, remainder: true}}
flex-context:
  consumption-price: {{sensor: import}}
  production-price: {{sensor: feed-in}}
  site-power-capacity: 17 kW
"""


def freed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@dataclass(frozen=True)
class Place:
    """Where daemons of a test live."""

    folder: Path

    @property
    def runtime(self) -> Path:
        return self.folder / "data" / "runtime.json"

    @property
    def site(self) -> Path:
        return self.folder / "site.yaml"

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("FLEXEDGE_")}
        mine = {
            "FLEXEDGE_SITE": str(self.site),
            "FLEXEDGE_DATA_DIR": str(self.folder / "data"),
            "FLEXEDGE_WEB__PORT": "0",
        }
        return inherited | mine | more

    def start(self, **more: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "flexedge", "run"],
            env=self.environment(**more),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def fail(self, **more: str) -> tuple[int, list[str]]:
        """The exit code and the lines on stderr of a daemon that cannot run."""
        with self.start(**more) as daemon:
            try:
                _, said = daemon.communicate(timeout=PATIENCE_S)
            finally:
                daemon.kill()
        return daemon.returncode, said.splitlines()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.site.write_text(_SITE.format(port=freed_port()), encoding="utf-8")
    return place


@contextlib.contextmanager
def running(place: Place) -> Iterator["subprocess.Popen[str]"]:
    """A daemon that has said that it runs."""
    with place.start() as daemon:
        guard = threading.Timer(PATIENCE_S, daemon.kill)  # readline has no timeout of its own
        guard.start()
        try:
            assert daemon.stderr is not None
            seen: list[str] = []
            while "flexedge runs" not in "".join(seen[-1:]):
                seen.append(daemon.stderr.readline())
                assert seen[-1], f"it ended: {seen}"
            yield daemon
        finally:
            guard.cancel()
            daemon.kill()


@pytest.fixture
def daemon(place: Place) -> Iterator["subprocess.Popen[str]"]:
    with running(place) as daemon:
        yield daemon


def ask(place: Place, path: str, *, token: bool = True) -> Any:
    runtime = json.loads(place.runtime.read_text(encoding="utf-8"))
    headers = {"Authorization": f"Bearer {runtime['token']}"} if token else {}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(runtime["url"] + path, headers=headers, timeout=10)
        return answer.json() if answer.ok else answer.status_code


def test_a_life(place: Place, daemon: "subprocess.Popen[str]") -> None:
    assert stat.S_IMODE(place.runtime.stat().st_mode) == 0o600
    assert json.loads(place.runtime.read_text(encoding="utf-8"))["pid"] == daemon.pid
    assert ask(place, "/health", token=False) == {"status": "ok"}
    assert ask(place, "/api/status", token=False) == 401
    status = ask(place, "/api/status")
    assert status["site"] == "Hut"
    states = {device["name"]: device["state"] for device in status["devices"]}
    assert set(states) == {"meter", "hybrid"}
    assert "ok" not in states.values()
    daemon.send_signal(signal.SIGTERM)
    _, rest = daemon.communicate(timeout=PATIENCE_S)
    assert daemon.returncode == 0
    assert "every control point is released" in rest
    assert "Traceback" not in rest
    assert not place.runtime.exists()


def test_a_second_one_leaves_the_first_alone(place: Place, daemon: "subprocess.Popen[str]") -> None:
    code, said = place.fail()
    assert code == 75
    path = place.folder / "data" / "beliefs.duckdb"
    assert said == [f"flexedge: {path} is in use by another process"]
    assert ask(place, "/health") == {"status": "ok"}
    daemon.send_signal(signal.SIGINT)
    assert daemon.wait(PATIENCE_S) == 0


def test_a_site_file_with_a_mistake(place: Place) -> None:
    text = place.site.read_text(encoding="utf-8").replace("17 kW", "17 kWx")
    place.site.write_text(text, encoding="utf-8")
    code, said = place.fail()
    assert code == 78
    assert len(said) == 1
    assert said[0].startswith(f"{place.site}:16:24: unknown unit 'kWx'")
    assert not place.runtime.exists()


def test_a_clock_that_is_not_there(place: Place) -> None:
    address = f"127.0.0.1:{freed_port()}"
    code, said = place.fail(FLEXEDGE_CLOCK=address)
    assert code == 69
    assert len(said) == 1
    assert said[0].startswith(f"flexedge: no timekeeper at {address}: ")
    assert not place.runtime.exists()


def test_a_page_whose_port_is_taken(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = place.fail(FLEXEDGE_WEB__PORT=str(port))
    assert code == 69
    assert said[-1].startswith(f"flexedge: the web page cannot listen on 127.0.0.1:{port}: ")
    assert not any("Traceback" in line for line in said)
    assert not place.runtime.exists()


def test_a_data_folder_that_cannot_be_made(place: Place) -> None:
    folder = place.site / "data"  # the site is a file
    code, said = place.fail(FLEXEDGE_DATA_DIR=str(folder))
    assert code == 69
    assert said == [f"flexedge: the data folder {folder} cannot be made: Not a directory"]


def test_after_a_crash_it_starts_again(place: Place, daemon: "subprocess.Popen[str]") -> None:
    daemon.kill()
    daemon.wait(PATIENCE_S)
    left = json.loads(place.runtime.read_text(encoding="utf-8"))
    with running(place) as again:
        assert ask(place, "/api/status")["site"] == "Hut"
        now = json.loads(place.runtime.read_text(encoding="utf-8"))
        assert now["pid"] == again.pid
        assert now["token"] != left["token"]
        assert stat.S_IMODE(place.runtime.stat().st_mode) == 0o600
