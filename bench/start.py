"""The daemon's start and memory with the demo's site, over limits and over its libraries alone."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from bench.measure import Row, goal, in_turn, limit, resident_mb, seconds
from bench.site import running_site
from flexedge.demo.api import Runtime, read_runtime
from flexedge.demo.site_yaml import write_site

_START_LIMIT_S = 60.0
_MEMORY_LIMIT_MB = 250.0
_COMMAND_LIMIT_S = 0.3
_DEVICES = 5
_PATIENCE_S = 90.0
_LIBRARIES = """
import sys, json
import flexedge.daemon.run
own = sys.stdlib_module_names | {"flexedge"}
print(json.dumps([name for name in sys.modules if name.partition(".")[0] not in own]))
"""
_IMPORT = """
import contextlib, importlib, json, sys
for name in json.loads(sys.argv[1]):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
print(flush=True)
sys.stdin.read()
"""
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_never = Event()


def rows(*, quick: bool) -> Iterator[Row]:
    """Commands that only print; the daemon from exec to five devices and a plan; its memory."""
    yield from _commands(2 if quick else 15)
    libraries = _libraries()
    ready: list[float] = []
    memory: list[float] = []
    bare: tuple[list[float], list[float]] = ([], [])
    rounds = 1 if quick else 3
    with running_site() as site:
        for turn in range(rounds):
            last = turn == rounds - 1
            with tempfile.TemporaryDirectory() as folder:
                path = write_site(Path(folder), 1, site.now, 2.0, site.ports)
                took, mb = _daemon(Path(folder), path, 3.0 if quick or not last else 30.0)
            ready.append(took)
            memory.append(mb)
            for values, value in zip(bare, _bare(libraries), strict=True):
                values.append(value)
    what = "daemon started: 5 devices and a plan"
    yield Row(what, "s", ready, [_START_LIMIT_S] * rounds, "allowed", limit(most=1.0))
    yield Row(what, "s", ready, bare[0], "its libraries alone", goal(most=3.0))
    what = "daemon's memory after 30 s"
    yield Row(what, "MB", memory[-1:], [_MEMORY_LIMIT_MB], "allowed", limit(most=1.0))
    yield Row(what, "MB", memory[-1:], bare[1][-1:], "its libraries alone", goal(most=1.75))


def _commands(rounds: int) -> Iterator[Row]:
    for option in ("--version", "--help"):
        ours, bare = in_turn(
            partial(_command_ms, "-m", "flexedge", option),
            partial(_command_ms, "-c", "pass"),
            rounds,
        )
        what = f"flexedge {option}"
        yield Row(what, "ms", ours, bare, "python -c pass")
        allowed = [1e3 * _COMMAND_LIMIT_S] * rounds
        yield Row(what, "ms", ours, allowed, "allowed", limit(most=1.0))


def _command_ms(*arguments: str) -> float:
    def run() -> None:
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)

    return 1e3 * seconds(run)


def _libraries() -> str:
    """The third-party modules the daemon imports, in their order, as JSON."""
    run = subprocess.run(
        [sys.executable, "-c", _LIBRARIES], check=True, capture_output=True, text=True
    )
    return run.stdout.splitlines()[-1]


def _bare(libraries: str) -> tuple[float, float]:
    """Seconds and MB of an interpreter that imports the same libraries and nothing else."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", _IMPORT, libraries], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the libraries could not be imported")
        took = time.perf_counter() - began
        memory = resident_mb(process.pid)
        process.communicate(timeout=20)
    return took, memory


def _daemon(folder: Path, site: Path, watch_s: float) -> tuple[float, float]:
    """Seconds from exec to five live devices and a plan; MB when it has run for ``watch_s``."""
    data = folder / "data"
    data.mkdir()
    environment = {
        **os.environ,
        "FLEXEDGE_SITE": str(site),
        "FLEXEDGE_DATA_DIR": str(data),
        "FLEXEDGE_WEB__PORT": "0",
    }
    began = time.perf_counter()
    with (folder / "daemon.log").open("wb") as log, subprocess.Popen(
        [sys.executable, "-m", "flexedge", "run"], env=environment, stderr=log, stdout=log
    ) as process:  # fmt: skip
        try:
            while not _is_ready(data):
                if process.poll() is not None or time.perf_counter() - began > _PATIENCE_S:
                    raise RuntimeError((folder / "daemon.log").read_text(encoding="utf-8"))
                _never.wait(0.02)
            took = time.perf_counter() - began
            _never.wait(max(began + watch_s - time.perf_counter(), 0.0))
            memory = resident_mb(process.pid)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
    return took, memory


def _is_ready(data: Path) -> bool:
    runtime = read_runtime(data)
    if runtime is None:
        return False
    status = _status(runtime)
    live = sum(device["state"] == "ok" for device in status["devices"])
    return live >= _DEVICES and status["plan"]["made_at"] is not None


def _status(runtime: Runtime) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 (the daemon's own http address)
        runtime.url.rstrip("/") + "/api/status",
        headers={"Authorization": f"Bearer {runtime.token}"},
    )
    with contextlib.closing(_direct.open(request, timeout=10)) as answer:
        status: dict[str, Any] = json.loads(answer.read())
        return status
