"""What of ours is in step with centres: the site's tree of assets, and their sensors by role."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flexedge.config.centre import CentreRules, Report, Scope
from flexedge.config.coming import RECEIVED_PRICE
from flexedge.domain.measures import measure
from flexedge.gateway.service import tree
from flexedge.gateway.sync import naming
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor

GATEWAY: Final = "gateway.id"
"""The fact that holds what no other gateway is called."""
FORECAST, SCHEDULE, RECEIVED = "forecast", "schedule", "received"
SOURCE_TYPES: Final[Mapping[str, str]] = {
    "": "sensor", FORECAST: "forecaster", SCHEDULE: "scheduler"
}  # fmt: skip
"""Roles of sensors, and the type of the sources whose beliefs go there."""
_SCOPES: Final[Mapping[str, Scope]] = {
    "": "readings", FORECAST: "forecasts", SCHEDULE: "schedules"
}  # fmt: skip
_DISPATCHED: Final = ".dispatched"
_FIRST_ACCOUNT: Final = 1
Kinds = Mapping[int, frozenset[str]]
"""By sensor, the kinds of sources that believe something of it."""


@dataclass(frozen=True, slots=True)
class OurSensor:
    """One of our sensors, and what of it goes to a centre."""

    number: int
    placed: PlacedSensor
    roles: tuple[str, ...]
    resolution: timedelta
    """How long its events are to be there."""
    notes: tuple[str, ...] = ()
    """What people should know, as why it is not sent."""
    every: timedelta | None = None
    """At least so often there is something to send, where that is not each event."""


@dataclass(frozen=True, slots=True)
class OurAsset:
    """One of our assets with its sensors."""

    number: int
    asset: Asset
    path: str
    external_id: str
    sensors: tuple[OurSensor, ...]


@dataclass(frozen=True, slots=True)
class Ours:
    """All that is in step: parents before what is below them."""

    gateway: str
    assets: tuple[OurAsset, ...]


def gateway_id(state: State) -> str:
    """What this gateway is called everywhere; made when it is first asked for."""
    known = state.fact(GATEWAY)
    if known is None:
        known = str(uuid.uuid4())
        state.remember(GATEWAY, known)
    return known


def ours(
    state: State,
    rules: CentreRules,
    scopes: Collection[str],
    kinds: Kinds,
    received: Collection[int] = (),
) -> Ours:
    """What is to be in step with a centre.

    ``scopes``: what was agreed on. ``received``: sensors whose values come from the centre: they
    are not sent back.
    """
    gateway, assets = gateway_id(state), state.assets.all()
    paths: dict[int, str] = {}
    found = []
    agreed = frozenset(scopes) & frozenset[str](rules.scopes)
    for number in in_scope(assets):
        asset = assets[number]
        above = paths.get(asset.parent_id or 0)
        paths[number] = asset.name if above is None else f"{above} / {asset.name}"
        sensors = tuple(
            _sensor(one, placed, rules, agreed, kinds.get(one, frozenset()))
            for one, placed in state.placed.of(number).items()
            if one not in received
            and placed.key not in rules.receive
            and not placed.key.endswith(RECEIVED_PRICE)
        )
        called = naming.external_id(gateway, number, asset)
        found.append(OurAsset(number, asset, paths[number], called, sensors))
    return Ours(gateway, tuple(found))


def site_account(state: State) -> int:
    """Whose the gateway is: what is done with centres is told in that account's audit log."""
    every = state.assets.all().values()
    accounts = (one.account_id for one in every if one.defined_as == "")
    return next((one for one in accounts if one is not None), _FIRST_ACCOUNT)


def in_scope(assets: Mapping[int, Asset]) -> list[int]:
    """The site and all below it, level by level; without a site all trees of the first account."""
    site = [number for number, one in assets.items() if one.defined_as == ""]
    roots = site or [
        number for number, one in assets.items()
        if one.parent_id is None and one.account_id == _FIRST_ACCOUNT
    ]  # fmt: skip
    return [number for root in roots for number in tree.below(assets, root)]


def _sensor(
    number: int,
    placed: PlacedSensor,
    rules: CentreRules,
    scopes: Collection[str],
    kinds: frozenset[str],
) -> OurSensor:
    report = rules.sensors.get(placed.key, rules.report)
    resolution, note = _resolution(placed, report)
    notes = (note,) if note else ()
    if not report.send:
        return OurSensor(number, placed, (), resolution, ("the site file says not to send it",))
    try:
        measure(placed.unit)
    except ValueError:
        told = f"{placed.unit!r} is no unit that a centre knows"
        return OurSensor(number, placed, (), resolution, (told,))
    roles = tuple(_roles(placed, scopes, kinds))
    every = report.heartbeat if report.strategy == "on-change" else None
    return OurSensor(number, placed, roles, resolution, notes, every)


def _roles(placed: PlacedSensor, scopes: Collection[str], kinds: frozenset[str]) -> list[str]:
    if placed.key.endswith(_DISPATCHED):
        return [""] if "outcomes" in scopes else []
    return [
        role
        for role, kind in SOURCE_TYPES.items()
        if _SCOPES[role] in scopes and (not role or kind in kinds)
    ]


def _resolution(placed: PlacedSensor, report: Report) -> tuple[timedelta, str]:
    own, wanted = placed.resolution, report.resolution
    if wanted is None or not own:
        return own, ""
    if wanted % own:
        return own, f"{wanted} is no multiple of its resolution, which is {own}"
    return wanted, ""
