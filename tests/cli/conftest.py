"""A command line, and a gateway that it can reach: real parts, a real server, time that stands."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.cli.main import main
from flexedge.config.check import load_site
from flexedge.config.settings import Settings
from flexedge.daemon.clock import WallClock
from flexedge.daemon.compose import compose
from flexedge.domain.schedule import Applied
from flexedge.drivers.driver import Sample
from flexedge.drivers.line import Request, Write
from flexedge.errors import DeviceUnreachable
from flexedge.gateway.gateway import Gateway
from flexedge.gateway.window import GatewayWindow
from flexedge.web.app import build
from flexedge.web.auth import Access
from flexedge.web.server import Server

HOME = Path(__file__).parents[2] / "config" / "home.yaml"
NOW = datetime(2026, 4, 14, 10, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@dataclass(frozen=True)
class Running:
    """A gateway that serves; ``folder`` is its data folder."""

    gateway: Gateway
    access: Access
    server: Server
    folder: Path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Type a command."""

    def typed(*arguments: str) -> Ran:
        try:
            code = main(arguments)
        except SystemExit as ended:  # how argparse says good-bye
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return typed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of a gateway that does not run, which the settings name."""
    (tmp_path / "settings.yaml").write_text("data-dir: data\n")
    monkeypatch.setenv("FLEXEDGE_SETTINGS", str(tmp_path / "settings.yaml"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def _lived(gateway: Gateway) -> None:
    """The battery and the meter answer, the inverter does not; a plan is made and followed."""
    asked: list[Request] = []
    gateway.dispatcher.submit = asked.append
    soc = [Sample("battery.soc", 50.0), Sample("battery.power", 1.25)]
    gateway.collector.read("hybrid", soc, {}, NOW)
    gateway.collector.read("meter", [Sample("grid.power", 2.5)], {}, NOW)
    gateway.collector.failed("inverter", DeviceUnreachable("inverter", "no answer"), NOW)
    gateway.planner.step(NOW, timedelta(hours=36), timedelta(seconds=10))
    gateway.dispatcher.step(NOW)
    for request in asked:
        assert isinstance(request, Write)
        applied = Applied(request.power_kw)
        gateway.collector.wrote(request.device, request.control, applied, NOW)
    gateway.health.alarm("plan", "")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("served")
    with ExitStack() as stack:
        loaded = load_site(HOME)
        gateway = compose(Settings(data_dir=folder), loaded, WallClock(), stack).gateway
        _lived(gateway)
        access = Access(gateway.state, folder, lambda: NOW)
        window = GatewayWindow(gateway, lambda: NOW, 1.0)
        server = Server(build(window, access), "127.0.0.1", 0)
        server.start()
        pool = stack.enter_context(ThreadPoolExecutor(1))
        pool.submit(server.serve)
        stack.callback(server.stop)
        runtime = {"url": server.url, "token": access.local_token, "pid": 1}
        (folder / "runtime.json").write_text(json.dumps(runtime))
        yield Running(gateway, access, server, folder)


@pytest.fixture
def running(served: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Running:
    """A gateway that runs, whose data folder the settings name."""
    (tmp_path / "settings.yaml").write_text(f"data-dir: {served.folder}\n")
    monkeypatch.setenv("FLEXEDGE_SETTINGS", str(tmp_path / "settings.yaml"))
    return served
