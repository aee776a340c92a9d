"""A small platform of two accounts, and calls to operations as the server makes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import Headers

from flexedge.config.settings import Settings, Store
from flexedge.domain.asset import Knowable, Sensor
from flexedge.domain.rights import Caller
from flexedge.gateway.service.work import Work
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.web.api.op import Call, File, Op, Reply
from flexedge.web.api.parts import Parts
from tests.web.conftest import Site

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


@dataclass
class Platform:
    """State and time series in a folder, with the operations of one module."""

    parts: Parts
    asset: int
    account: int
    ops: dict[tuple[str, str], Op] = field(default_factory=dict)
    now: datetime = NOW

    def sensor(
        self,
        name: str = "power",
        unit: str = "kW",
        resolution: timedelta = QUARTER,
        attributes: Mapping[str, Any] | None = None,
        *,
        knowable: Knowable | None = None,
        asset: int | None = None,
    ) -> int:
        """A new sensor's number."""
        asset = self.asset if asset is None else asset
        number = self.parts.beliefs.register(Sensor(f"{asset}/{name}", unit, resolution, knowable))
        self.parts.state.placed.place(
            number, asset, name, "Europe/Amsterdam", dict(attributes or {})
        )
        return number

    def user(self, name: str = "ann", **more: Any) -> Caller:
        """Somebody of the account."""
        return Caller("user", 7, name, self.account, frozenset({"account-admin"}), **more)

    def found(self, kind: str, number: int) -> Any:
        """What a path names by a number."""
        state = self.parts.state
        tables: dict[str, Any] = {"asset": state.assets, "sensor": state.placed}
        return tables[kind].get(number)

    def call(  # noqa: PLR0913 (all that a call has)
        self,
        method: str,
        path: str,
        number: int = 0,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        files: tuple[File, ...] = (),
        caller: Caller | None = None,
        uuid: str = "",
    ) -> Reply:
        """Ask, with a body and a query as JSON has them. Raises what the operation raises."""
        op = self.ops[method, path]
        made = Call(
            self.user() if caller is None else caller,
            self.now,
            {"id": str(number), "uuid": uuid},
            None if op.query is None else op.query.model_validate(query or {}),
            None if op.body is None or body is None else op.body.model_validate(body),
            Headers({}),
            "127.0.0.1",
            number,
            None if op.on is None else self.found(op.on.kind, number),
            files,
        )
        return op.run(made)


def platform(folder: Path, *, overwrite: bool = False) -> Platform:
    """One account with an asset, in a new folder."""
    state = State(folder / "state.db")
    beliefs = Beliefs(LocalArchive(folder / "data", NOW), state)
    account = state.accounts.add(Account("Home"))
    asset = state.assets.add(Asset("battery", "battery", account_id=account))
    work = Work(state.jobs, {}, lambda: NOW)
    settings = Settings(store=Store(overwrite=overwrite))
    return Platform(Parts(state, beliefs, work, lambda: NOW, settings=settings), asset, account)


def wrong(error: ValidationError) -> list[tuple[Any, ...]]:
    """The places of what is wrong."""
    return [one["loc"] for one in error.errors()]


def sensor_of(
    site: Site, parts: Parts, unit: str = "kW", resolution: timedelta = QUARTER
) -> tuple[int, str]:
    """A new sensor behind a real server, and where its data is."""
    asset = parts.state.assets.add(Asset("battery", "battery"))
    number = parts.beliefs.register(Sensor("battery/power", unit, resolution))
    parts.state.placed.place(number, asset, "power", "Europe/Amsterdam", {})
    return number, f"{site.url}/api/v3_0/sensors/{number}/data"
