"""One command runs a whole site, and Ctrl-C gives every device back to itself."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from hil.api import WELL, Api
from hil.conftest import Benches
from hil.programs import FLEXEDGE, Program
from hil.waiting import eventually

EX_TEMPFAIL = 75


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Program]:
    command = [FLEXEDGE, "demo", "--json", "--port", "0", "--folder", "demo"]
    program = Program(command, tmp_path, {}, "demo.log", spoken_to=True)
    yield program
    program.clear()


def test_one_command_runs_the_site_and_ctrl_c_ends_it(demo: Program, tmp_path: Path) -> None:
    api = Api(tmp_path / "demo" / "data")
    eventually(api.up, within_s=60)

    # The link it prints opens the page in one click, without a password.
    (link,) = re.findall(r"http://\S+/open\?ticket=\S+", demo.said())
    with requests.Session() as browser:
        browser.trust_env = False
        assert "<html" in browser.get(link, timeout=5).text
        status = browser.get(api.runtime["url"] + "/api/status", timeout=5).json()
    assert len(status["devices"]) == 5
    assert api.errors() == 0
    daemon = api.runtime["pid"]
    api.close()

    assert demo.end(signal.SIGINT, within_s=5) == 0
    assert not runs(daemon)
    assert demo.process.stdout is not None
    told = json.load(demo.process.stdout)
    assert told["daemon_exit"] == 0
    assert {asset for asset, truth in told["controls"].items() if not truth["released"]} == set()
    assert told["controls"]["battery"]["written_s_ago"] < 5  # it was held until then


def test_a_stopped_daemon_has_released_everything(benches: Benches) -> None:
    bench = benches()
    bench.gateway.start_up()
    assert "battery" in bench.site.held()
    assert bench.gateway.program.end(signal.SIGTERM, within_s=5) == 0
    assert bench.site.held() == set()
    assert not (bench.gateway.api.data / "runtime.json").exists()


def test_it_starts_with_everything_away(benches: Benches) -> None:
    bench = benches("--speed", "20", "--start", "1776160800")
    bench.site.tell("all", "stop")
    bench.gateway.start()
    api = bench.gateway.api
    seen = eventually(api.status, within_s=30)
    assert {device["name"] for device in seen["devices"]} == set(WELL)
    api.wait(60)
    assert "ok" not in api.states().values()
    bench.site.heal()
    eventually(api.up, within_s=30)
    assert api.errors() == 0


def test_a_second_daemon_on_the_same_folder_goes_away_at_once(benches: Benches) -> None:
    gateway = benches().gateway
    first = gateway.start()
    eventually(gateway.api.status, within_s=30)
    second = gateway.start()
    assert second.process.wait(timeout=10) == EX_TEMPFAIL
    gateway.api.pid = first.pid
    assert first.alive
    assert gateway.api.errors() == 0
