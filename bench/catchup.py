"""Catching up with a centre, in a process of its own: ``python -m bench.catchup FOLDER ORDER``.

Takes all that waits in a data folder out of the outbox in portions, makes bodies of it and lets it
arrive. Prints values per second, the growth of its peak of memory and more as JSON.
"""

import json
import sys
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from bench.believed import START
from flexedge.config.centre import Report
from flexedge.config.settings import Store
from flexedge.domain.runs import as_json
from flexedge.gateway.sync.outbox import Order, Outbox, Portion
from flexedge.gateway.sync.report import Way, way_of
from flexedge.gateway.sync.runs import pieces, runs, told_by
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.engine import Limits
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.state import State
from flexedge.store.tables.centres import Link

_PORTION, _POST, _AT_ONCE = 10_000, 2_000, 8
_MINUTE = timedelta(minutes=1)


def main(folder: Path, order: Order) -> None:
    """Drain it."""
    state = State(folder / "state.db")
    archive = LocalArchive(folder, START, Limits(Store().memory_mb, threads=2))
    beliefs = Beliefs(archive, state)
    for role in ("", "forecast", "schedule"):
        state.cursors.forget(f"1/{role}")
    links = [Link(1, "sensor", number, number) for number in state.sensors()]
    ways = {one.local_id: way_of(state.sensors()[one.local_id], _MINUTE, "kW", "", Report())
            for one in links}  # fmt: skip
    outbox = Outbox(state, beliefs)
    _about_me("clear_refs")
    before = _memory_mb("VmRSS")
    began, values, size, portions = perf_counter(), 0, 0, 0
    under_way: list[Portion] = []
    while links:
        left = []
        for link in links:
            portion = outbox.next(link, order, _PORTION)
            if portion is None:
                continue
            left.append(link)
            n, sent = _bodies(portion, ways[link.local_id])
            values, size, portions = values + n, size + sent, portions + 1
            under_way.append(portion)
            if len(under_way) >= _AT_ONCE:
                outbox.arrived(under_way)
                under_way = []
        links = left
    outbox.arrived(under_way)
    took = perf_counter() - began
    grown = _memory_mb("VmHWM") - before
    beliefs.close()
    state.close()
    print(json.dumps({"rate": values / took, "values": values, "mb": size / 1e6,
                      "portions": portions, "grown_mb": grown}))  # fmt: skip


def _bodies(portion: Portion, way: Way) -> tuple[int, int]:
    """How many values are posted, and in how many bytes."""
    rows = portion.rows
    told, _ = told_by(Rows.of(rows.columns()), rows.number)
    bodies = [json.dumps(as_json(piece)).encode() for run in runs(told, way.shape)
              for piece in pieces(run, _POST)]  # fmt: skip
    return len(told), sum(map(len, bodies))


def _memory_mb(name: str) -> float:
    return int(_about_me("status")[name].split()[0]) * 1024 / 1e6


def _about_me(what: str) -> dict[str, str]:
    """What Linux knows of this process; ``clear_refs``: let its peak be what it has now."""
    path = Path("/proc/self", what)
    if what == "clear_refs":
        path.write_text("5", encoding="ascii")
        return {}
    lines = path.read_text(encoding="ascii").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


if __name__ == "__main__":
    main(Path(sys.argv[1]), "oldest-first" if sys.argv[2] == "oldest-first" else "newest-first")
