"""A site made of plain data, served by the real server on a real socket."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
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

STATUS = TypeAdapter(Status).validate_json((Path(__file__).parent / "status.json").read_bytes())
NOW = STATUS.now
MIDNIGHT = datetime(2026, 4, 19, 22, tzinfo=UTC)  # yesterday's, in Amsterdam
STEPS = 288
BATTERY_KWH, CAR_KWH, HEAT_KWH = 10.0, 58.0, 13.0


@dataclass(frozen=True)
class Shape:
    """The power of one flow in kW by hour of the day."""

    base: float
    height: float
    peak: float
    width: float

    def __call__(self, hour: float) -> float:
        distance = min(abs(hour - self.peak), 24 - abs(hour - self.peak))
        return self.base + self.height * math.exp(-((distance / self.width) ** 2))


SOLAR = Shape(0, -6.2, 13.6, 3.2)
HOUSE_MORNING, HOUSE_EVENING = Shape(0.35, 1.3, 7.5, 1.2), Shape(0, 2.1, 19, 1.9)
IMPORT_EVENING, IMPORT_NOON = Shape(0.26, 0.15, 19.2, 2.0), Shape(0, -0.13, 13.5, 2.6)


def powers(hour: float) -> dict[str, float]:
    sun = SOLAR(hour) if 6 < hour < 21 else 0.0
    return {
        "solar": sun,
        "house": 0.4 + HOUSE_MORNING(hour) + HOUSE_EVENING(hour),
        "battery": 2.2 if 9.5 <= hour < 14.5 else -2.4 if 18 <= hour < 21.5 else 0.0,
        "car": 3.7 if 12 <= hour < 15.5 else 0.0,
        "heat-pump": 1.6 if 4 <= hour < 6 or 13 <= hour < 15 else 0.0,
    }


def steps() -> list[datetime]:
    return [MIDNIGHT + timedelta(minutes=15 * n) for n in range(STEPS)]


def hour_of(time: datetime) -> float:
    return (time.hour + 2) % 24 + time.minute / 60


def wobble(n: int, size: float) -> float:
    return size * math.sin(n * 1.7) * math.cos(n * 0.37)


def line(name: str) -> Line:
    planned = [powers(hour_of(t))[name] for t in steps()]
    measured = [p + wobble(n, 0.25 if p else 0.0) for n, p in enumerate(planned)]
    known = [t < NOW - timedelta(minutes=15) for t in steps()]
    return Line(
        name,
        "kW",
        tuple(m if k else None for m, k in zip(measured, known, strict=True)),
        tuple(planned),
    )


def grid_line(lines: tuple[Line, ...]) -> Line:
    def total(values: tuple[float | None, ...]) -> float | None:
        known = [v for v in values if v is not None]
        return sum(known) if len(known) == len(values) else None

    return Line(
        "grid",
        "kW",
        tuple(total(values) for values in zip(*(x.measured for x in lines), strict=True)),
        tuple(total(values) for values in zip(*(x.planned for x in lines), strict=True)),
    )


def soc_line(name: str, full: float, low: float, peak: float) -> Line:
    planned = []
    for time in steps():
        hour = hour_of(time)
        risen = 1 / (1 + math.exp(-(hour - peak + 3) * 1.1))
        fallen = 1 / (1 + math.exp(-(hour - peak - 7) * 1.3))
        planned.append(full * (low + (0.93 - low) * (risen - fallen)))
    known = [t <= NOW for t in steps()]
    measured = (p + wobble(n, full * 0.01) for n, p in enumerate(planned))
    return Line(
        name,
        "kWh",
        tuple(m if k else None for m, k in zip(measured, known, strict=True)),
        tuple(planned),
    )


def chart() -> Chart:
    lines = tuple(line(n) for n in ("solar", "house", "battery", "car", "heat-pump"))
    hours = [hour_of(t) for t in steps()]
    prices = [IMPORT_EVENING(math.floor(h)) + IMPORT_NOON(math.floor(h)) for h in hours]
    return Chart(
        now=NOW,
        times=tuple(steps()),
        resolution_s=900.0,
        currency="EUR",
        import_price=tuple(prices),
        feed_in_price=tuple(round(0.06 + 0.25 * (p - 0.15), 4) for p in prices),
        grid=grid_line(lines),
        powers=lines,
        socs=(
            soc_line("battery", BATTERY_KWH, 0.14, 14),
            soc_line("car", CAR_KWH, 0.38, 16),
            soc_line("heat-pump", HEAT_KWH, 0.22, 17),
        ),
    )


@dataclass
class World:
    """A Window whose values a test sets; each status is a second later than the one before."""

    state: Status = STATUS
    graph: Chart = field(default_factory=chart)
    calls: dict[str, int] = field(default_factory=lambda: {"status": 0, "chart": 0})
    fault: Exception | None = None

    def status(self) -> Status:
        if self.fault is not None:
            raise self.fault
        self.calls["status"] += 1
        self.state = replace(self.state, now=self.state.now + timedelta(seconds=1))
        return self.state

    def chart(self) -> Chart:
        self.calls["chart"] += 1
        return self.graph

    def beliefs(self, sensor: str, start: datetime, end: datetime) -> tuple[BeliefView, ...]:
        if sensor != "battery.power":
            raise RequestError(404, f"there is no sensor {sensor!r}")
        rows = (
            BeliefView(NOW, NOW, "inverter", 2.16),
            BeliefView(NOW + timedelta(minutes=15), NOW, "flexedge", math.nan),
        )
        return tuple(row for row in rows if start <= row.event_start < end)

    def totals(self, start: datetime, end: datetime) -> Totals:
        hours = (end - start) / timedelta(hours=1)
        return Totals(
            {"solar": -2.0 * hours}, SetpointCounts(9, 8, 1, 0), PlanCounts(3, 0, 0.4), 0, 151.5
        )


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Site:
    """A running server and what is behind it."""

    world: World
    access: Access
    server: Server
    clock: Clock
    folder: Path

    @property
    def url(self) -> str:
        return self.server.url

    def browser(self) -> requests.Session:
        """A session that behaves like the page in a browser."""
        session = requests.Session()
        session.trust_env = False
        session.headers.update({"Origin": self.url, "Sec-Fetch-Site": "same-origin"})
        return session

    def owner(self) -> requests.Session:
        session = self.browser()
        session.get(f"{self.url}/open", params={"ticket": self.access.issue_ticket()})
        return session

    def program(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {self.access.local_token}"
        return session


Serving = Callable[[Server], None]


@pytest.fixture(scope="session")
def serving() -> Iterator[Serving]:
    """Threads for servers. Waits for their end once, not after each test: stopping takes 0.2 s."""
    ends: list[Future[None]] = []
    with ThreadPoolExecutor(64) as threads:
        yield lambda server: ends.append(threads.submit(server.serve))
        for end in ends:
            end.result(timeout=5)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def parts(tmp_path: Path, clock: Clock) -> Iterator[Parts]:
    state = State(tmp_path / "state.db")
    beliefs = Beliefs(LocalArchive(tmp_path, NOW), state)
    yield Parts(state, beliefs, Work(state.jobs, {}, clock), clock)
    beliefs.close()
    state.close()


@pytest.fixture
def access(tmp_path: Path, parts: Parts, clock: Clock) -> Access:
    return Access(parts.state, tmp_path, clock)


@pytest.fixture
def site(
    tmp_path: Path, world: World, access: Access, parts: Parts, clock: Clock, serving: Serving
) -> Iterator[Site]:  # fmt: skip
    server = Server(build(world, access, parts), "127.0.0.1", 0)
    server.start()
    serving(server)
    yield Site(world, access, server, clock, tmp_path)
    server.stop()
