import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flexedge.demo.api import DaemonSilent, Runtime, page_link, read_runtime, totals

_SERVER = r"""
import http.server, json, sys
TOTALS = {"energies_kwh": {"grid.power": 1.5, "car.power": None},
          "setpoints": {"written": 4, "verified": 3, "clamped": 1, "refused": 0},
          "plans": {"count": 2, "infeasible": 0, "seconds_max": 0.1}, "errors": 0, "rss_mb": 80.5}
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        ok = self.headers["Authorization"] == "Bearer secret"
        known = {("POST", "/api/tickets"): {"url": "http://here/?ticket=1"}}
        start, end = "2026-04-14T00%3A00%3A00%2B00%3A00", "2026-04-15T00%3A00%3A00%2B00%3A00"
        known["GET", f"/api/totals?start={start}&end={end}"] = TOTALS
        found = known.get((self.command, self.path), {"odd": True}) if ok else None
        self.send_response(200 if ok else 401)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())
    do_GET = do_POST = answer
    def log_message(self, *args): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""
_DAY = 86400.0
_START = 1776124800.0


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        yield Runtime(url=f"http://127.0.0.1:{port}/", token="secret", pid=server.pid)  # noqa: S106 (a test's)
        server.terminate()


def test_link_and_totals(runtime: Runtime) -> None:
    assert page_link(runtime) == "http://here/?ticket=1"
    account = totals(runtime, _START, _START + _DAY)
    assert account.energies_kwh == {"grid.power": 1.5, "car.power": None}
    assert account.setpoints.written == 4


def test_answers_that_are_none(runtime: Runtime) -> None:
    with pytest.raises(DaemonSilent, match="401"):
        page_link(runtime.model_copy(update={"token": "wrong"}))
    with pytest.raises(DaemonSilent, match="not totals"):
        totals(runtime, 0.0, 1.0)
    with pytest.raises(DaemonSilent, match="/api/tickets"):
        page_link(runtime.model_copy(update={"url": "http://127.0.0.1:1"}))


def test_runtime_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "runtime.json"
    assert read_runtime(tmp_path) is None
    text = json.dumps({"url": "http://127.0.0.1:8080", "token": "t", "pid": 1})
    path.write_text(text[:20])
    assert read_runtime(tmp_path) is None
    path.write_text(text)
    runtime = read_runtime(tmp_path)
    assert runtime is not None
    assert runtime.token == "t"  # noqa: S105 (a test's)
