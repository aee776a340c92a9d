"""A gateway made of plain data behind the real web server, found as the command line finds it."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from flexedge.errors import RequestError
from flexedge.gateway.service.work import Work
from flexedge.gateway.view import (
    BeliefView,
    Chart,
    Line,
    PlanCounts,
    SetpointCounts,
    Status,
    Totals,
)
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.state import State
from flexedge.web.api.parts import Parts
from flexedge.web.app import build
from flexedge.web.auth import Access
from flexedge.web.server import Server

_STATUS = Path(__file__).parents[1] / "web" / "status.json"
STATUS = TypeAdapter(Status).validate_json(_STATUS.read_bytes())
NOW = STATUS.now
QUARTER = timedelta(minutes=15)
FIRST = datetime(2026, 4, 21, 11, tzinfo=UTC)  # the step before the one that NOW is in
CHART = Chart(
    now=NOW,
    times=tuple(FIRST + n * QUARTER for n in range(4)),
    resolution_s=900.0,
    currency="EUR",
    import_price=(0.21, 0.22, 0.23, None),
    feed_in_price=(0.08,) * 4,
    grid=Line("grid", "kW", (1.0, None, None, None), (1.5, 2.5, 3.5, 4.5)),
    powers=(Line("battery", "kW", (0.5, None, None, None), (-1.0, -2.0, -3.0, None)),),
    socs=(),
)


@dataclass
class Site:
    """What the gateway knows; a test sets it."""

    state: Status = STATUS
    asked: tuple[datetime, datetime] | None = None
    """The span of the last question for beliefs."""

    def status(self) -> Status:
        return self.state

    def chart(self) -> Chart:
        return CHART

    def beliefs(self, sensor: str, start: datetime, end: datetime) -> tuple[BeliefView, ...]:
        if sensor != "battery.power":
            raise RequestError(404, f"There is no sensor {sensor!r}.")
        self.asked = (start, end)
        rows = (
            BeliefView(NOW - QUARTER, NOW, "hybrid", 2.16),
            BeliefView(NOW + QUARTER, NOW, "flexedge", None),
        )
        return tuple(row for row in rows if start <= row.event_start < end)

    def totals(self, _start: datetime, _end: datetime) -> Totals:
        return Totals({}, SetpointCounts(0, 0, 0, 0), PlanCounts(0, 0, 0.0), 0, 1.0)

    def recover(self) -> None:
        """All devices answer, nothing is wrong."""
        devices = tuple(replace(device, state="ok") for device in self.state.devices)
        self.state = replace(self.state, devices=devices, alarms=())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder that the settings name."""
    monkeypatch.delenv("FLEXEDGE_SETTINGS", raising=False)
    monkeypatch.setenv("FLEXEDGE_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def parts(folder: Path) -> Iterator[Parts]:
    state = State(folder / "state.db")
    beliefs = Beliefs(LocalArchive(folder, NOW), state)
    yield Parts(state, beliefs, Work(state.jobs, {}, lambda: NOW), lambda: NOW)
    beliefs.close()
    state.close()


@pytest.fixture
def access(folder: Path, parts: Parts) -> Access:
    return Access(parts.state, folder, lambda: NOW)


@pytest.fixture
def site(folder: Path, access: Access, parts: Parts) -> Iterator[Site]:
    """A running gateway."""
    site = Site()
    server = Server(build(site, access, parts), "127.0.0.1", 0)
    server.start()
    runtime = {"url": server.url, "token": access.local_token, "pid": 1}
    (folder / "runtime.json").write_text(json.dumps(runtime), encoding="utf-8")
    with ThreadPoolExecutor(1) as threads:
        end = threads.submit(server.serve)
        yield site
        server.stop()
        end.result(timeout=5)
