"""A site made of plain data, served by the real server on a real socket."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from flexedge.errors import RequestError
from flexedge.gateway.view import (
    AssetView,
    BeliefView,
    Chart,
    ControlView,
    DeviceView,
    Line,
    PlanCounts,
    PlanView,
    PointView,
    SetpointCounts,
    Status,
    Totals,
)
from flexedge.store.state import State
from flexedge.web.app import build
from flexedge.web.auth import Access
from flexedge.web.server import Server

NOW = datetime(2026, 4, 21, 11, 20, 7, tzinfo=UTC)
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
        "house": HOUSE_MORNING(hour) + HOUSE_EVENING(hour),
        "battery": 3.2 if 9.5 <= hour < 12.5 else -2.4 if 18 <= hour < 21.5 else 0.0,
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


def soc_line(name: str, full: float, low: float) -> Line:
    planned = []
    for time in steps():
        hour = hour_of(time)
        share = low + (0.93 - low) / (1 + math.exp(-(hour - 12.5) * 1.1))
        planned.append(full * share * (1 if hour < 18 else max(0.35, 1 - (hour - 18) * 0.11)))
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
            soc_line("battery", BATTERY_KWH, 0.3),
            soc_line("car", CAR_KWH, 0.4),
            soc_line("heat-pump", HEAT_KWH, 0.2),
        ),
    )


def told(kw: float | None, outcome: Any = "applied", **more: Any) -> ControlView:
    plain = {"verified": outcome == "applied", "reason": "", "clamped_by": ()}
    return ControlView(kw, outcome, at=NOW - timedelta(seconds=8), **{**plain, **more})


def asset(name: str, kind: str, power_kw: float | None, **more: Any) -> AssetView:
    plain: dict[str, Any] = {
        "device": name,
        "age_s": 0.6,
        "quality": "good",
        "soc_kwh": None,
        "soc_max_kwh": None,
        "plugged": None,
        "planned_kw": power_kw,
        "control": None,
        "why": "",
    }
    return AssetView(name=name, type=kind, power_kw=power_kw, **{**plain, **more})


ASSETS = (
    asset("battery", "battery", 2.16, device="inverter", soc_kwh=6.4, soc_max_kwh=BATTERY_KWH,
          control=told(2.16), why="Stores the noon sun for the evening, when power costs 0.41 €."),
    asset("solar", "solar", -6.21, device="inverter", planned_kw=-6.0,
          why="Produces all it can: feeding in still earns money."),
    asset("car", "one-way_evse", 3.68, device="charger", soc_kwh=31.9, soc_max_kwh=CAR_KWH,
          plugged=True, planned_kw=3.7,
          control=told(3.7, "clamped", clamped_by=("circuit limit",), verified=True),
          why="Charges on sun and noon prices; must hold 40 kWh by 07:30."),
    asset("heat-pump", "heat-storage", 0.0, soc_kwh=4.1, soc_max_kwh=HEAT_KWH, planned_kw=0.0,
          control=told(0.0), why="Waits for 13:00, the cheapest hours of the day."),
    asset("house", "building", 0.92, device=None, quality="derived", planned_kw=0.8),
)  # fmt: skip


def device(name: str, title: str, points: tuple[PointView, ...], **more: Any) -> DeviceView:
    plain: dict[str, Any] = {
        "state": "ok", "age_s": 0.4, "error": None, "polls": 40_812, "failures": 3,
    }  # fmt: skip
    return DeviceView(name=name, title=title, points=points, **{**plain, **more})


def point(sensor: str, value: float | None, unit: str, quality: str = "good") -> PointView:
    return PointView(sensor, value, unit, quality, None if value is None else 0.4)


DEVICES = (
    device("inverter", "Hybrid inverter", (
        point("inverter.battery.power", 2.16, "kW"), point("inverter.battery.soc", 64.0, "%"),
        point("inverter.pv.power", -6.21, "kW"), point("inverter.temperature", 41.3, "degC"))),
    device("meter", "Grid meter SDM630", (
        point("meter.power", 0.55, "kW"), point("meter.voltage", 231.4, "V"),
        point("meter.frequency", 50.012, "Hz"))),
    device("charger", "EV charger", (
        point("charger.ev.power", 3.68, "kW"), point("charger.ev.plugged", 1.0, ""),
        point("charger.ev.soc", None, "%", "missing"))),
    device("heat-pump", "Heat pump", (point("heat-pump.buffer", 46.2, "degC"),),
           state="stale", age_s=74.0, failures=51, error="no answer within 2 s"),
    device("switch", "Washing machine plug", (), state="lost", age_s=5400.0, failures=900,
           polls=12_400, error="connection refused"),
)  # fmt: skip
PLAN = PlanView(
    rung="fresh-plan",
    made_at=NOW - timedelta(minutes=2),
    valid_until=NOW + timedelta(hours=36),
    status="optimal",
    seconds=0.184,
    cost=2.47,
    explanation=(
        "The battery and the car take the sun until 15:30; the evening runs on the battery.",
        "Power is cheapest at 13:00 (0.13 €) and dearest at 19:00 (0.41 €).",
        "The grid connection never carries more than 9.1 of 17.3 kW.",
    ),
    count=274,
    infeasible=0,
    seconds_max=0.41,
)
STATUS = Status(
    site="Canal house 12",
    version="0.1.0",
    now=NOW,
    speed=1.0,
    timezone="Europe/Amsterdam",
    currency="EUR",
    import_price=0.148,
    feed_in_price=0.061,
    grid_kw=0.55,
    grid_age_s=0.4,
    grid_limit_kw=17.3,
    assets=ASSETS,
    devices=DEVICES,
    plan=PLAN,
    alarms=("Washing machine plug: no answer for 90 min, left out of the plan.",),
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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(tmp_path: Path, clock: Clock) -> Iterator[Access]:
    state = State(tmp_path / "state.db")
    yield Access(state, tmp_path, clock)
    state.close()


@pytest.fixture
def site(tmp_path: Path, access: Access, clock: Clock) -> Iterator[Site]:
    world = World()
    server = Server(build(world, access), "127.0.0.1", 0)
    server.start()
    with ThreadPoolExecutor(1) as threads:
        served = threads.submit(server.serve)
        yield Site(world, access, server, clock, tmp_path)
        server.stop()
        served.result(timeout=5)
