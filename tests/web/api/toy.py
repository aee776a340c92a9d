"""FlexMeasures' toy account: a battery, a day of prices, and the sun."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief
from flexedge.domain.series import Series, TimeGrid
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.jobs import Job
from flexedge.web.api import jobs, schedules, solve
from flexedge.web.api.op import Reply
from tests.web.api.calls import Platform, platform

HOUR, INSTANT = timedelta(hours=1), timedelta(0)
MIDNIGHT = datetime(2026, 4, 13, 22, tzinfo=UTC)  # in Amsterdam
MORNING = "2026-04-14T07:00:00+02:00"
PRICES = [10, 11, 12, 15, 18, 17, 10.5, 9, 9.5, 9, 8.5, 10,
          8, 5, 4, 4, 5.5, 8, 12, 13, 14, 12.5, 10, 7]  # fmt: skip
SUN = [0, 0, 0, 0, 10, 30, 60, 100, 140, 170, 190, 210,
       220, 210, 190, 170, 140, 100, 60, 30, 10, 0, 0, 0]  # fmt: skip
TRIGGER = "/api/v3_0/assets/{id}/schedules/trigger"
OF_SENSOR = "/api/v3_0/sensors/{id}/schedules/trigger"
SCHEDULE = "/api/v3_0/sensors/{id}/schedules/{uuid}"
WHOLE = "/api/v3_0/schedules/{uuid}"
JOB = "/api/v3_0/jobs/{uuid}"
TWO_CYCLES = [
    *[0.0] * 6, -164.078309, -500, *[0.0] * 4, *[500] * 3, 186.548085, -17.893277, *[-500] * 3,
    *[0.0] * 8, *[500] * 3, 186.548085, *[0.0] * 12, -17.893277, *[-500] * 3,
]  # fmt: skip
"""What FlexMeasures 1.0.1 plans for twelve hours."""


@dataclass
class Toy:
    """The toy account, and what is asked of it."""

    here: Platform
    site: int
    power: int
    soc: int
    price: int
    sun: int

    def body(self, *, sun: bool = False, context: Any = None, **change: Any) -> dict[str, Any]:
        """A trigger for the battery; a change with None takes a field away."""
        prices: dict[str, Any] = {
            "consumption-price": {"sensor": self.price},
            "site-power-capacity": "500 kVA",
        }
        if sun:
            prices["inflexible-production"] = [{"sensor": self.sun}]
        entry = {
            "sensor": self.power, "state-of-charge": {"sensor": self.soc},
            "soc-at-start": "225 kWh", "soc-min": "50 kWh", "soc-max": "450 kWh",
            "power-capacity": "500 kVA", "roundtrip-efficiency": "90%",
        }  # fmt: skip
        whole = {
            "start": MORNING, "duration": "PT12H", "flex-model": [entry],
            "flex-context": prices | (context or {}),
        } | change  # fmt: skip
        return {key: value for key, value in whole.items() if value is not None}

    def ask(self, body: dict[str, Any] | None = None, **more: Any) -> str:
        """The job of a trigger."""
        reply = self.here.call("POST", TRIGGER, self.here.asset, body=body or self.body(), **more)
        assert reply.status == 202
        return str(reply.body.job)

    def work(self) -> None:
        """Do all that waits."""
        work = self.here.parts.work
        while (due := work.step(self.here.now)) is not None and due <= self.here.now:
            pass

    def job(self, uuid: str) -> Job:
        """One job."""
        job = self.here.parts.work.job(uuid)
        assert job is not None
        return job

    def plan(self, body: dict[str, Any] | None = None) -> str:
        """The job of a trigger, done."""
        uuid = self.ask(body)
        self.work()
        return uuid

    def get(self, uuid: str, sensor: int | None = None, **query: Any) -> Reply:
        """What is told of one sensor's schedule."""
        query = {key.replace("_", "-"): value for key, value in query.items()}
        number = sensor or self.power
        return self.here.call("GET", SCHEDULE, number, query=query, uuid=uuid)


def toy(folder: Path) -> Toy:
    """The toy account in a new folder, with three days of prices and sun."""
    here = platform(folder)
    state = here.parts.state
    site = state.assets.add(Asset("toy", "building", account_id=here.account))
    battery = state.assets.get(here.asset)
    assert battery is not None
    state.assets.change(
        here.asset, Asset("battery", "battery", parent_id=site, account_id=here.account)
    )
    made = Toy(
        here, site, here.sensor(), here.sensor("soc", "kWh", INSTANT),
        here.sensor("price", "EUR/MWh", HOUR, asset=site),
        here.sensor("sun", "kW", HOUR, asset=site),
    )  # fmt: skip
    for key, values in ((f"{site}/price", PRICES), (f"{site}/sun", SUN)):
        series = Series(TimeGrid(MIDNIGHT, HOUR, 72), np.array(values * 3, np.float64))
        source = Source("toy", "user", account=str(here.account))
        here.parts.beliefs.save([Belief(key, "toy", MIDNIGHT, series)], source)
    every = (*schedules.operations(here.parts), *solve.operations(here.parts),
             *jobs.operations(here.parts))  # fmt: skip
    here.ops = {(op.method, op.path): op for op in every}
    return made
