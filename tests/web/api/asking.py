"""A platform with nothing on it but what a test puts there; its operations asked one by one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from starlette.datastructures import Headers

from flexedge.domain.asset import Knowable, Source
from flexedge.domain.belief import Belief
from flexedge.domain.rights import Caller
from flexedge.domain.series import Series, TimeGrid
from flexedge.gateway.service.work import Work
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.op import Call, Op, Reply
from flexedge.web.api.parts import Parts

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
ANNA = Caller("user", 7, "anna", 1)
USER = Source("anna", "user", account="1")
SCHEDULER = Source("Seita", "scheduler", "StorageScheduler", "9")


@dataclass
class Platform:
    """Assets and sensors, and what is believed of them."""

    parts: Parts
    ops: dict[tuple[str, str], Op] = field(default_factory=dict)

    def asset(self, name: str, **more: Any) -> int:
        return self.parts.state.assets.add(Asset(name, "battery", account_id=1, **more))

    def sensor(
        self, asset: int, name: str, unit: str = "kW", resolution: timedelta = QUARTER,
        attributes: dict[str, Any] | None = None, knowable: Knowable | None = None,
    ) -> int:  # fmt: skip
        key, zone = f"{asset}/{name}", "Europe/Amsterdam"
        more = attributes or {}
        one = PlacedSensor(key, asset, name, unit, resolution, zone, knowable, more)
        number = self.parts.beliefs.register(one.sensor)
        self.parts.state.placed.place(number, asset, name, zone, more)
        return number

    def believe(
        self, sensor: int, start: datetime, values: list[float], at: datetime | None = None,
        source: Source = USER,
    ) -> None:  # fmt: skip
        one = self.parts.state.placed.get(sensor)
        assert one is not None
        grid = TimeGrid(start, one.resolution or QUARTER, len(values))
        self.parts.beliefs.save([Belief(one.key, "", at, Series(grid, np.array(values)))], source)

    def ask(
        self, method: str, path: str, number: int = 0, query: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None, caller: Caller = ANNA,
    ) -> Reply:  # fmt: skip
        op = self.ops[method, path]
        kind = None if op.on is None else op.on.kind
        state = self.parts.state
        found = {
            "sensor": state.placed.get, "asset": state.assets.get, "account": state.accounts.get,
        }[kind](number) if kind else None  # fmt: skip
        return op.run(
            Call(
                caller, NOW, {"id": str(number)},
                op.query.model_validate(query or {}) if op.query else None,
                op.body.model_validate(body) if op.body else None,
                Headers(), "127.0.0.1", number, found,
            )
        )  # fmt: skip


@contextmanager
def platform(folder: Path, *modules: Callable[[Parts], tuple[Op, ...]]) -> Iterator[Platform]:
    """A platform with account 1, that answers the operations of some modules."""
    state = State(folder / "state.db")
    beliefs = Beliefs(LocalArchive(folder / "archive", NOW), state)
    parts = Parts(state, beliefs, Work(state.jobs, {}, lambda: NOW), lambda: NOW)
    state.accounts.add(Account("Home"))
    ops: dict[tuple[str, str], Op] = {
        (op.method, op.path): op for make in modules for op in make(parts)
    }
    yield Platform(parts, ops)
    beliefs.close()
    state.close()
