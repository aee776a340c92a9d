"""The closed loop at full speed: site seconds per wall second, over the goal and the site alone."""

import json
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Row, goal, in_turn, seconds
from bench.site import running_site

_GOAL = 500.0
_SPEED = 600
_HELLO = struct.Struct("<dd")
_MOMENT = struct.Struct("<d")
_START_S = 1776157200.0  # 14 April 2026, 11:00 in the demo's zone: sun, and a car that may be away


def rows(*, quick: bool) -> Iterator[Row]:
    """The demo at 600 times real time, and its site with a gateway that does nothing."""
    days, rounds = (0.005, 1) if quick else (0.02, 5)
    ours, alone = in_turn(lambda: _demo(days), lambda: _alone(days), rounds)
    what = f"closed loop, {days * 86400:.0f} site s at speed {_SPEED}"
    yield Row(what, "site s/s", ours, [_GOAL] * rounds, "aimed at", goal(least=1.0))
    yield Row(what, "site s/s", ours, alone, "with an idle gateway")


def _demo(days: float) -> float:
    """As the demo itself counts: from the gateway's connection to the end of the days."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [
                sys.executable, "-m", "flexedge", "demo", "--json", "--port", "0",
                "--folder", str(Path(folder) / "demo"), "--start", "2026-04-14T11:00",
                "--speed", str(_SPEED), "--days", str(days),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if run.returncode:
        raise RuntimeError(run.stderr)
    return float(json.loads(run.stdout.splitlines()[-1])["site_s_per_wall_s"])


def _alone(days: float) -> float:
    """A gateway that asks for second after second and reads nothing."""
    span = round(days * 86400)
    with (
        running_site("--speed", "1000000", "--start", str(_START_S), "--hold") as ready,
        socket.create_connection(("127.0.0.1", int(ready.clock or 0)), 10) as clock,
    ):
        clock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        now, _ = _HELLO.unpack(clock.recv(_HELLO.size, socket.MSG_WAITALL))
        _second_by_second(clock, now, 60)  # the first steps take longer
        return span / seconds(lambda: _second_by_second(clock, now + 60, span))


def _second_by_second(clock: socket.socket, now: float, count: int) -> None:
    for second in range(1, count + 1):
        clock.sendall(_MOMENT.pack(now + second))
        clock.recv(_MOMENT.size, socket.MSG_WAITALL)
