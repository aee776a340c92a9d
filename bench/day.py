"""A day in the life of a store, in a process of its own: ``python -m bench.day FOLDER SECONDS``.

Takes in 40 readings a second, compacts as the daemon does, and answers day charts all along, from
another thread and as fast as it can. Prints its peak of memory as JSON.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np

from bench.believed import START, readings, until
from flexedge.config.settings import Store
from flexedge.store.archive import Asked, Stamp
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.engine import Limits
from flexedge.store.rows import Beliefs, Readings

_BATCH = 200  # 5 s of readings
_RIGHT = Stamp("", 0, trusted=True)
_HOUSE = 60  # batches: 5 minutes


def main(folder: Path, seconds: int) -> None:
    """Live through so many seconds."""
    archive = LocalArchive(folder, START, Limits(Store().memory_mb, threads=1))
    over = threading.Event()

    def draw() -> int:
        charts = 0
        while not over.is_set():
            archive.buckets([charts % 40 + 1], START, timedelta(minutes=5), 288)
            archive.beliefs(Asked((charts % 40 + 1,), START, START + timedelta(days=1)), {})
            charts += 1
        return charts

    pool = ThreadPoolExecutor(1)
    drawn = pool.submit(draw)
    for number in range(seconds * 40 // _BATCH):
        sensor, at, value, quality = zip(*readings(number, _BATCH), strict=True)
        archive.commit(
            Readings.of({"sensor": sensor, "event_us": at, "value": value, "quality": quality}),
            _planned(number), _RIGHT,
        )  # fmt: skip
        if number % _HOUSE == 0:
            archive.maintain(until(number, _BATCH))
    over.set()
    charts = drawn.result()
    pool.shutdown()
    archive.close()
    # ru_maxrss would count who started this process, too
    peak_mb = int(_about_me("status")["VmHWM"].split()[0]) * 1024 / 1e6
    written = int(_about_me("io")["write_bytes"])
    print(json.dumps({"peak_mb": peak_mb, "charts": charts, "written": written}))


def _about_me(what: str) -> dict[str, str]:
    """What Linux knows of this process."""
    lines = Path("/proc/self", what).read_text(encoding="ascii").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _planned(number: int) -> Beliefs:
    """Every 5 minutes a plan of 144 steps for 10 sensors."""
    if number % _HOUSE:
        return Beliefs.empty()
    at = np.arange(1440)
    now = number * 5_000_000 + int(START.timestamp()) * 1_000_000
    return Beliefs.of(
        {"sensor": at // 144 + 1, "source": np.full(1440, 3),
         "event_us": now + at % 144 * 900_000_000, "belief_us": np.full(1440, now),
         "probability": np.full(1440, 0.5), "value": at / 8}
    )  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
