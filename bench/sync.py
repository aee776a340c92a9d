"""Catching up with a centre after weeks without a network; the server's own time is left out."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np

from bench.believed import START
from bench.measure import Row, limit
from flexedge.domain.asset import Sensor, Source
from flexedge.store.archive import Stamp
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.engine import Limits
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.rows import Readings, micros
from flexedge.store.state import State

_RIGHT = Stamp("", 0, trusted=True)
_MINUTE, _MINUTE_US = timedelta(minutes=1), 60_000_000
_RATE, _MB = 20_000.0, 60.0
"""Values per second and MB that were promised."""


def rows(*, quick: bool) -> Iterator[Row]:
    """30 site days of 50 sensors at 1 minute, from either end."""
    days, sensors, rounds = (2, 5, 1) if quick else (30, 50, 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "data")
        folder.mkdir()
        _offline(folder, days, sensors)
        for order in ("newest-first", "oldest-first"):
            told = [_caught_up(folder, order) for _ in range(rounds)]
            what = f"{told[0]['values'] / 1e6:.3g} M values caught up with, {order}"
            yield Row(what, "/s", [one["rate"] for one in told], [_RATE] * rounds, "promised",
                      limit(least=1.0))  # fmt: skip
            yield Row("  memory that it took", "MB", [one["grown_mb"] for one in told],
                      [_MB] * rounds, "allowed", limit(most=1.0))  # fmt: skip


def _offline(folder: Path, days: int, sensors: int) -> None:
    """What a gateway measures meanwhile, and compacts every hour."""
    state = State(folder / "state.db")
    archive = LocalArchive(folder, START, Limits())
    beliefs = Beliefs(archive, state)
    numbers = [beliefs.register(Sensor(f"s{i}.power", "kW", _MINUTE)) for i in range(sensors)]
    source = beliefs.source(Source("measured", "sensor"))
    chance = np.random.default_rng(6)
    for hour in range(24 * days):
        event = micros(START) + (60 * hour + np.arange(60)) * _MINUTE_US
        n = 60 * sensors
        made = Rows.of({
            "sensor": np.tile(numbers, 60), "source": np.full(n, source),
            "event_us": np.repeat(event, sensors),
            "belief_us": np.repeat(event + _MINUTE_US, sensors),
            "probability": np.full(n, 0.5), "value": chance.normal(5, 3, n).round(3),
        })  # fmt: skip
        archive.commit(Readings.empty(), made, _RIGHT)
        archive.maintain(START + timedelta(hours=hour + 1))
    beliefs.close()
    state.close()


def _caught_up(folder: Path, order: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.catchup", str(folder), order]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told
