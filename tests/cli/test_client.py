import json
import socket
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flexedge.cli.client import Client, DaemonAway, moment
from flexedge.errors import FlexedgeError

if TYPE_CHECKING:
    from tests.cli.conftest import Running


def runtime(folder: Path, url: str, token: str) -> None:
    (folder / "runtime.json").write_text(json.dumps({"url": url, "token": token}))


@pytest.mark.parametrize("content", [None, "", "[1]", "{}", '{"url": "http://127.0.0.1:1"}'])
def test_without_word_of_a_gateway_none_runs(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "runtime.json").write_text(content)
    with pytest.raises(DaemonAway, match="is not running"):
        Client(tmp_path)


def test_word_of_a_gateway_that_died_is_told_from_one_that_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    runtime(tmp_path, url, "stale")
    with pytest.raises(DaemonAway, match=f"the gateway does not answer at {url}"):
        Client(tmp_path).get("/api/status")


def test_it_asks_with_the_local_token(running: "Running", tmp_path: Path) -> None:
    assert Client(running.folder).get("/api/status")["site"] == "Home"
    runtime(tmp_path, running.server.url, "wrong")
    with pytest.raises(FlexedgeError):
        Client(tmp_path).get("/api/status")


def test_what_the_gateway_refuses_is_told_in_its_words(running: "Running") -> None:
    client = Client(running.folder)
    with pytest.raises(FlexedgeError, match=r"there is no sensor 'no\.such'"):
        client.get(
            "/api/beliefs",
            sensor="no.such",
            start="2026-04-14T00:00:00+00:00",
            end="2026-04-14T01:00:00+00:00",
        )


def test_what_is_no_json_is_told_by_its_status(running: "Running") -> None:
    with pytest.raises(FlexedgeError, match=f"{running.server.url}/ answered 200"):
        Client(running.folder).get("/")


def test_a_proxy_of_the_environment_is_not_asked(
    running: "Running", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert Client(running.folder).get("/api/status")["site"] == "Home"


def test_a_time_without_an_offset_is_local() -> None:
    assert moment("2026-04-14T12:00") == datetime(2026, 4, 14, 12).astimezone()
    assert moment("2026-04-14T12:00+02:00").isoformat().startswith("2026-04-1")
    assert moment("2026-04-14T12:00+02:00") == datetime.fromisoformat("2026-04-14T10:00+00:00")


@pytest.mark.parametrize("text", ["noon", "", "2026-13-01", "0001-01-01T00:00"])
def test_what_is_no_time_is_said_with_an_example(text: str) -> None:
    with pytest.raises(FlexedgeError, match="is not a time; write it as 2026-04-14T12:00"):
        moment(text)
