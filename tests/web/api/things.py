"""Assets and sensors of three accounts, and who asks for them."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import to_json
from starlette.datastructures import Headers

from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief
from flexedge.domain.rights import Caller
from flexedge.domain.series import Series, TimeGrid
from flexedge.store.tables.accounts import Account
from flexedge.web.api import (
    asset_copy,
    asset_list,
    assets,
    preferences,
    sensor_list,
    sensors,
    sources,
)
from flexedge.web.api.op import Call, Rejected
from tests.web.api.calls import NOW, Platform, platform

ASSETS, SENSORS = "/api/v3_0/assets", "/api/v3_0/sensors"
RESOURCES = (asset_list, assets, asset_copy, preferences, sensor_list, sensors, sources)
BATTERY, BUILDING = 5, 6
ADMIN = Caller("user", 1, "root", None, frozenset({"admin"}))


@dataclass
class Things:
    """A platform with all operations on assets and sensors; ``ask`` answers as JSON."""

    here: Platform
    other: int
    """An account of other people."""

    @property
    def head(self) -> Caller:
        """The head of the account."""
        return self.here.user()

    @property
    def member(self) -> Caller:
        """Somebody of the account without a role."""
        return Caller("user", 8, "bob", self.here.account)

    @property
    def stranger(self) -> Caller:
        """The head of the other account."""
        return Caller("user", 9, "eve", self.other, frozenset({"account-admin"}))

    def ask(  # noqa: PLR0913 (all that a request has)
        self,
        method: str,
        path: str,
        number: int = 0,
        *,
        body: Any = None,
        query: dict[str, Any] | None = None,
        caller: Caller | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """The JSON of an answer; its status in ``self.status``."""
        op = self.here.ops[method, path]
        reply = op.run(Call(
            self.head if caller is None else caller,
            NOW,
            {"id": str(number)},
            None if op.query is None else op.query.model_validate(query or {}),
            None if op.body is None else op.body.model_validate(body),
            Headers(headers or {}),
            "127.0.0.1",
            number,
            None if op.on is None else self.here.found(op.on.kind, number),
        ))  # fmt: skip
        self.status = reply.status
        if reply.body is None:
            return None
        return json.loads(to_json(reply.body, by_alias=True))

    def refused(self, method: str, path: str, number: int = 0, **more: Any) -> tuple[int, Any]:
        """Status and message of a refusal."""
        with pytest.raises(Rejected) as refusal:
            self.ask(method, path, number, **more)
        return refusal.value.status, refusal.value.told

    def asset(self, name: str = "site", **more: Any) -> int:
        """The number of a new asset of the account."""
        body = {"name": name, "generic_asset_type_id": BATTERY} | more
        if "parent_asset_id" not in more:
            body.setdefault("account_id", self.here.account)
        return int(self.ask("POST", ASSETS, body=body, caller=ADMIN)["id"])

    def sensor(self, asset: int, name: str = "power", **more: Any) -> int:
        """The number of a new sensor."""
        body = {"name": name, "unit": "kW", "event_resolution": "PT15M", "generic_asset_id": asset}
        return int(self.ask("POST", SENSORS, body=body | more, caller=ADMIN)["id"])

    def filled(self, sensor: int) -> str:
        """Give a sensor an hour of data; its key."""
        placed = self.here.parts.state.placed.get(sensor)
        assert placed is not None
        series = Series.constant(TimeGrid(NOW, timedelta(minutes=15), 4), 1.0)
        believed = [Belief(placed.key, "ann", NOW, series)]
        self.here.parts.beliefs.save(believed, Source("ann", "user"))
        return placed.key

    def shown(self, asset: int) -> dict[str, Any]:
        """An asset as it is told, JSON within it understood."""
        told: dict[str, Any] = self.ask("GET", f"{ASSETS}/{{id}}", asset)
        texts = ("flex_model", "flex_context", "sensors_to_show", "sensors_to_show_as_kpis")
        return told | {name: json.loads(told[name]) for name in (*texts, "attributes")}

    def said(self, asset: int) -> list[str]:
        """What the audit log says of an asset, oldest first."""
        entries = self.here.parts.state.audit.newest(asset_id=asset)
        return [entry.what for entry in reversed(entries)]


def things(folder: Path) -> Things:
    """In a new folder: account 1 with asset 1 "battery", and another account."""
    here = platform(folder)
    here.ops = {(op.method, op.path): op for one in RESOURCES for op in one.operations(here.parts)}
    return Things(here, here.parts.state.accounts.add(Account("Neighbours")))
