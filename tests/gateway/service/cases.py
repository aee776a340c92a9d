"""Solved cases of FlexMeasures, put into a store as somebody would who uses the API."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from flexedge.domain.asset import Sensor, Source
from flexedge.domain.belief import Belief
from flexedge.domain.series import Series, TimeGrid
from flexedge.domain.units import duration
from flexedge.gateway.service.schedules import Schedules
from flexedge.gateway.service.work import Work
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.jobs import Job

Json = dict[str, Any]
NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
USER = Source("toy-user", "user", account="1")


def folder() -> Path | None:
    """Where the cases are, if they are beside this checkout."""
    here = Path(__file__).resolve()
    found = (parent / "shared" / "golden" / "cases" for parent in here.parents)
    return next((one for one in found if one.is_dir()), None)


def every() -> list[Path]:
    """The files of all cases."""
    there = folder()
    return [] if there is None else sorted(there.glob("*.json"))


@dataclass
class Planning:
    """A store, and what plans with it."""

    state: State
    beliefs: Beliefs
    work: Work
    schedules: Schedules

    def asset(self, name: str = "site", kind: str = "building", **more: Any) -> int:
        """A new asset."""
        return self.state.assets.add(Asset(name, kind, **more))

    def sensor(
        self, asset: int, name: str, unit: str = "kW", step: timedelta = timedelta(minutes=15),
        attributes: Mapping[str, Any] | None = None,
    ) -> int:  # fmt: skip
        """A new sensor."""
        number = self.beliefs.register(Sensor(f"{asset}/{name}", unit, step))
        self.state.placed.place(number, asset, name, "Europe/Amsterdam", dict(attributes or {}))
        return number

    def save(
        self, number: int, values: Any, start: datetime, step: timedelta,
        source: Source = USER, at: datetime = LONG_AGO,
    ) -> None:  # fmt: skip
        """Let somebody believe something."""
        placed = self.state.placed.get(number)
        assert placed is not None
        series = Series(TimeGrid(start, step, len(values)), np.array(values, np.float64))
        self.beliefs.save([Belief(placed.key, source.name, at, series)], source)

    def plan(self, asset: int, request: Json, sensor: int | None = None, **more: Any) -> Job:
        """The job of a trigger, done."""
        uuid = self.schedules.ask(asset, sensor, request, **more).id
        self.work.step(NOW)
        job = self.work.job(uuid)
        assert job is not None
        return job


def planning(where: Path, compat: str | None = "flexmeasures-1.0") -> Planning:
    """A new store with a planner."""
    state = State(where / "state.db")
    beliefs = Beliefs(LocalArchive(where / "data", NOW), state)
    work = Work(state.jobs, {}, lambda: NOW)
    limit = timedelta(seconds=60)
    return Planning(
        state, beliefs, work, Schedules(state, beliefs, work, compat=compat, time_limit=limit)
    )


def put_in(here: Planning, case: Json) -> tuple[int, dict[str, int]]:
    """Make assets and sensors of a case and post its values: the site, and sensors by name."""
    site = here.asset()
    assets: dict[str, int] = {}
    numbers: dict[str, int] = {}
    for name, one in case["sensors"].items():
        on = one.get("on") or name
        if on not in assets:
            assets[on] = here.asset(on, "battery", parent_id=site)
        step = timedelta(0) if one["resolution"] == "PT0M" else duration(one["resolution"])
        numbers[name] = here.sensor(assets[on], name, one["unit"], step, one.get("attributes"))
    for name, one in case["series"].items():
        values = [np.nan if value is None else value for value in one["values"]]
        step = duration(one.get("resolution") or case["sensors"][name]["resolution"])
        here.save(numbers[name], values, datetime.fromisoformat(one["start"]), step)
    return site, numbers


def numbered(said: Any, numbers: Mapping[str, int]) -> Any:
    """A request that names sensors, with their numbers."""
    if isinstance(said, list):
        return [numbered(one, numbers) for one in said]
    if not isinstance(said, dict):
        return said
    return {
        key: numbers[value] if key == "sensor" and value in numbers else numbered(value, numbers)
        for key, value in said.items()
    }


def read(path: Path) -> Json:
    """A case."""
    case: Json = json.loads(path.read_text())
    return case
