import argparse
import json
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.cli.client import Client, DaemonAway, client, moment
from flexedge.config.settings import Settings
from flexedge.errors import FlexedgeError
from tests.cli.conftest import STATUS, Site


def write_runtime(folder: Path, content: object) -> None:
    (folder / "runtime.json").write_text(json.dumps(content), encoding="utf-8")


def test_it_finds_the_gateway_by_the_settings(site: Site) -> None:
    gateway = client(argparse.Namespace(settings=None))
    assert gateway.get("/api/status")["site"] == site.state.site == STATUS.site


def test_it_finds_the_gateway_by_a_settings_file(
    site: Site, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLEXEDGE_DATA_DIR")
    file = tmp_path / "settings.yaml"
    file.write_text(f"data-dir: {folder}\n", encoding="utf-8")
    gateway = client(argparse.Namespace(settings=file))
    assert gateway.get("/api/status")["site"] == site.state.site


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("later_s", [-60, 60])
def test_of_two_words_the_newest_counts(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later_s: int
) -> None:
    monkeypatch.setenv("FLEXEDGE_MEMORY_DIR", str(tmp_path))
    standing = Settings(data_dir=folder, memory_dir=tmp_path).stand_in
    standing.mkdir()
    write_runtime(standing, {"url": "http://127.0.0.1:1", "token": "x"})
    at = (folder / "runtime.json").stat().st_mtime + later_s
    os.utime(standing / "runtime.json", (at, at))
    gateway = client(argparse.Namespace(settings=None))
    if later_s < 0:
        assert gateway.get("/api/status")["site"] == STATUS.site
    else:
        with pytest.raises(DaemonAway, match=r"127\.0\.0\.1:1"):
            gateway.get("/api/status")


def test_no_gateway(folder: Path) -> None:
    with pytest.raises(DaemonAway, match=rf"^the gateway of {folder} is not running$"):
        Client(folder)


@pytest.mark.parametrize("content", [[], {}, {"url": "http://127.0.0.1:1"}, None, "x"])
def test_a_file_that_says_something_else(folder: Path, content: object) -> None:
    write_runtime(folder, content)
    with pytest.raises(DaemonAway, match="is not running"):
        Client(folder)


def test_a_gateway_that_is_slow_may_still_do_it(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        write_runtime(folder, {"url": f"http://127.0.0.1:{port}", "token": "x"})
        with pytest.raises(DaemonAway, match=r"not answered for 0\.1 s; it may still be doing"):
            Client(folder, timeout_s=0.1).get("/")


def test_a_gateway_that_died_and_left_its_file(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    write_runtime(folder, {"url": f"http://127.0.0.1:{port}", "token": "x"})
    with pytest.raises(DaemonAway, match=f"does not answer at http://127.0.0.1:{port}$"):
        Client(folder).get("/api/status")


@pytest.mark.usefixtures("site")
def test_a_token_of_an_earlier_start_is_refused(folder: Path) -> None:
    runtime = json.loads((folder / "runtime.json").read_text(encoding="utf-8"))
    write_runtime(folder, runtime | {"token": "stale"})
    with pytest.raises(FlexedgeError) as caught:
        Client(folder).get("/api/status")
    assert not isinstance(caught.value, DaemonAway)


@pytest.mark.usefixtures("site")
def test_what_the_gateway_says_is_wrong_is_passed_on(folder: Path) -> None:
    with pytest.raises(FlexedgeError, match="start should be a time"):
        Client(folder).get("/api/beliefs", sensor="battery.power", start="x", end="y")


@pytest.mark.usefixtures("site")
def test_an_answer_that_is_no_json(folder: Path) -> None:
    with pytest.raises(FlexedgeError, match="/ answered 200"):
        Client(folder).get("/")


def test_times() -> None:
    assert moment("2026-04-14T12:00+02:00") == datetime(2026, 4, 14, 10, tzinfo=UTC)
    local = moment("2026-04-14T12:00")
    assert local.utcoffset() is not None
    assert local.replace(tzinfo=None).hour == 12
    with pytest.raises(FlexedgeError, match="'noon' is not a time; write it as 2026-04-14T12:00"):
        moment("noon")
    with pytest.raises(FlexedgeError, match="is not a time"):
        moment("9999-12-31T23:59:59-14:00")
    assert moment("2026-04-14T12:00Z") - moment("2026-04-14T11:00Z") == timedelta(hours=1)
