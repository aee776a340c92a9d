"""Many small requests on one core, while a site's devices are polled: does either suffer?"""

import contextlib
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

from bench.measure import Row, goal
from bench.served import Server, running
from bench.site import running_site
from flexedge.demo.site_yaml import write_site

_RATE = 200
_LATE_MS = 50.0  # 5 % of the second between polls
_PATHS = ("/gateway", "/gateway/setpoints", "/gateway/overrides", "/gateway/limits")
_SENSOR = "battery.power"
_CLIENT = """
import http.client, itertools, json, sys, time
host, port, token, rate, seconds, *paths = sys.argv[1:]
rate, seconds = float(rate), float(seconds)
wire = http.client.HTTPConnection(host, int(port), timeout=30)
took, bad, began = [], 0, time.perf_counter()
for i, path in zip(itertools.count(), itertools.cycle(paths)):
    due = began + i / rate
    now = time.perf_counter()
    if now - began >= seconds:
        break
    if due > now:
        time.sleep(due - now)
    asked = time.perf_counter()
    wire.request("GET", "/api/v3_0" + path, headers={"Authorization": token})
    answer = wire.getresponse()
    answer.read()
    bad += answer.status != 200
    took.append(time.perf_counter() - asked)
took.sort()
spent = time.perf_counter() - began
print(json.dumps([len(took) / spent, took[len(took) // 2], took[int(len(took) * 0.99)], bad]))
"""
_never = Event()


def rows(*, quick: bool) -> Iterator[Row]:
    """The rate that was served, and how late polls were with and without it."""
    seconds = 3.0 if quick else 30.0
    pin = ("taskset", "-c", "0") if shutil.which("taskset") else ()
    told: list[float] = []
    with polled(pin) as (server, _):
        quiet = lateness(server, lambda: _never.wait(seconds))
        busy = lateness(server, lambda: told.extend(_client(server, seconds)))
    rate, median, slowest, bad = told
    if bad:
        raise RuntimeError(f"{bad:.0f} requests were not answered well")
    what = f"small requests on one core, {seconds:.0f} s of polling"
    yield Row(what, "/s", [rate], [_RATE], "asked for", goal(least=0.98))
    yield Row("  their median", "ms", [1e3 * median], [5.0], "for each, one by one", goal(most=1.0))
    yield Row("  the slowest in a hundred", "ms", [1e3 * slowest], [100.0], "allowed",
              goal(most=1.0))  # fmt: skip
    yield from lateness_rows(quiet, busy)


@contextlib.contextmanager
def polled(pin: Sequence[str] = ()) -> Iterator[tuple[Server, int]]:
    """A gateway that polls the demo's site, and its process; what is planned first is planned."""
    with running_site() as site, tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        data.mkdir()
        path = write_site(Path(name), 1, site.now, 2.0, site.ports)
        with running(data, "run", *pin, FLEXEDGE_SITE=str(path)) as runtime:
            _never.wait(10.0)
            yield Server(runtime.url, f"Bearer {runtime.token}"), runtime.pid


def lateness_rows(quiet: tuple[float, float, int], busy: tuple[float, float, int]) -> Iterator[Row]:
    """How even polls were while something went on, and without it."""
    what = "  polls of a battery, off their even step"
    yield Row(what, "ms", [1e3 * busy[0]], [1e3 * quiet[0]], "without")
    yield Row("  the latest in twenty of them", "ms", [1e3 * busy[1]], [_LATE_MS], "allowed",
              goal(most=1.0))  # fmt: skip
    yield Row("  how many", "", [busy[2]], [quiet[2]], "without", goal(least=0.95))


def _client(server: Server, seconds: float) -> list[float]:
    """Ask at a fixed rate from a process on another core; the figures of it."""
    host, _, port = server.url.rpartition("//")[2].rpartition(":")
    pin = ["taskset", "-c", str((os.cpu_count() or 1) - 1)] if shutil.which("taskset") else []
    words = [host, port, server.token, str(_RATE), str(seconds), *_PATHS]
    run = subprocess.run(
        [*pin, sys.executable, "-c", _CLIENT, *words], check=True, capture_output=True, text=True
    )
    figures: list[float] = json.loads(run.stdout)
    return figures


def lateness(server: Server, work: Callable[[], object]) -> tuple[float, float, int]:
    """How far apart from even polls were meanwhile: the median, the worst in twenty; how many."""
    began = _now(server)
    work()
    _never.wait(6.0)  # until what was read is on disk
    ended = _now(server)
    query = {"sensor": _SENSOR, "start": began.isoformat(), "end": ended.isoformat()}
    answer = server.ask("GET", "/beliefs", params=query, under="/api")
    moments = sorted(datetime.fromisoformat(one["event_start"]) for one in answer.json()
                     if one["source"] not in ("flexedge", "flexedge-forecast"))  # fmt: skip
    moments = [moment for moment in moments if moment <= ended - timedelta(seconds=6)]
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(moments)]
    even = statistics.median(gaps)
    off = sorted(abs(gap - even) for gap in gaps)
    return statistics.median(off), off[int(0.95 * len(off))], len(moments)


def _now(server: Server) -> datetime:
    """The gateway's clock, which its readings are stamped with."""
    return datetime.fromisoformat(server.do("GET", "/gateway")["now"])
