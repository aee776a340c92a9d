"""Assets and sensors as they are answered, with what surrounds them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from flexedge.domain.rights import Caller, Permission, Thing, may
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.op import Call
from flexedge.wire.assets import AssetTold, ChildTold, OwnerTold, SensorNamed, TypeTold
from flexedge.wire.sensors import SensorTold

_DECEMBER = 12


@dataclass(frozen=True, slots=True)
class Types:
    """The types of assets, by their numbers and names."""

    names: Mapping[int, str]
    numbers: Mapping[str, int]

    def told(self, kind: str) -> TypeTold:
        """A type by its name."""
        return TypeTold(id=self.numbers.get(kind, 0), name=kind)


def types(state: State) -> Types:
    """All types of assets."""
    names = {number: one.name for number, one in state.asset_types.all().items()}
    return Types(names, {name: number for number, name in names.items()})


def assets_told(
    state: State, assets: Mapping[int, Asset], every: Mapping[int, Asset] | None = None
) -> list[AssetTold]:
    """Assets as they are answered; a handful of queries, however many they are.

    ``every``: all assets there are, where somebody has them already.
    """
    few = len(assets) == 1
    account = next(iter(assets.values())).account_id if few else None
    owner = None if account is None else state.accounts.get(account)
    owners: Mapping[int, Account] = state.accounts.all() if not few else {}
    if owner is not None and account is not None:
        owners = {account: owner}
    below = state.assets.children(assets) if every is None else every
    kinds, children = types(state), _by_parent(below)
    sensors = state.placed.names(assets)
    return [
        AssetTold(
            account_id=one.account_id,
            attributes=one.attributes,
            child_assets=[_child(key, child, kinds) for key, child in children.get(number, ())],
            description=one.description,
            external_id=one.external_id,
            flex_context=one.flex_context,
            flex_model=one.flex_model,
            generic_asset_type=kinds.told(one.kind),
            generic_asset_type_id=kinds.numbers.get(one.kind, 0),
            id=number,
            latitude=one.latitude,
            longitude=one.longitude,
            name=one.name,
            owner=_owner(one.account_id, owners),
            parent_asset_id=one.parent_id,
            sensors=[SensorNamed(id=key, name=name) for key, name in sensors.get(number, ())],
            sensors_to_show=one.sensors_to_show,
            sensors_to_show_as_kpis=one.sensors_to_show_as_kpis,
        )
        for number, one in assets.items()
    ]


def asset_told(state: State, number: int, asset: Asset) -> AssetTold:
    """One asset as it is answered."""
    return assets_told(state, {number: asset})[0]


def _by_parent(children: Mapping[int, Asset]) -> dict[int, list[tuple[int, Asset]]]:
    found: dict[int, list[tuple[int, Asset]]] = {}
    for number, child in children.items():
        if child.parent_id is not None:
            found.setdefault(child.parent_id, []).append((number, child))
    return found


def _child(number: int, asset: Asset, kinds: Types) -> ChildTold:
    return ChildTold(
        id=number,
        name=asset.name,
        account_id=asset.account_id,
        generic_asset_type=kinds.told(asset.kind),
    )


def _owner(number: int | None, owners: Mapping[int, Account]) -> OwnerTold | None:
    if number is None or number not in owners:
        return None
    return OwnerTold(id=number, name=owners[number].name)


def sensor_told(number: int, sensor: PlacedSensor, authority: str) -> SensorTold:
    """A sensor as it is answered."""
    return SensorTold(
        attributes=sensor.attributes,
        entity_address=f"{authority}:fm1.{number}",
        event_resolution=sensor.resolution,
        generic_asset_id=sensor.asset_id,
        id=number,
        name=sensor.name,
        timezone=sensor.timezone,
        unit=sensor.unit,
    )


def authority(host: str | None, now: datetime) -> str:
    """The beginning of the addresses of sensors (USEF's), by the header "Host".

    FlexMeasures names the month in which somebody began to own the host; of "localhost" the next
    one. We do not know, so it is that for all.
    """
    name = urlsplit(f"//{host or ''}").hostname or "localhost"
    if name.startswith("127.") or ":" in name:
        name = "localhost"
    name = name.removeprefix("www.")
    parts = name.split(".")
    reverse = name if all(part.isdecimal() for part in parts) else ".".join(reversed(parts))
    year, month = (now.year + 1, 1) if now.month == _DECEMBER else (now.year, now.month + 1)
    return f"ea1.{year}-{month:02}.{reverse}"


@dataclass(frozen=True, slots=True)
class Readable:
    """What a caller may do with what belongs to which account; asks for the accounts once."""

    caller: Caller
    accounts: Mapping[int, Account]

    def asset(self, asset: Asset, permission: Permission = "read") -> bool:
        """Whether a caller may do that with an asset, or with a sensor of it when reading."""
        account = None if asset.account_id is None else self.accounts.get(asset.account_id)
        consultancy = None if account is None else account.consultancy_account_id
        return may(self.caller, permission, Thing("asset", asset.account_id, consultancy))

    def numbers(self) -> set[int]:
        """The accounts that may be read."""
        return {
            number
            for number, one in self.accounts.items()
            if may(self.caller, "read", Thing("account", number, one.consultancy_account_id))
        }


def entry(call: Call[Any, Any], what: str, number: int, asset: Asset) -> Entry:
    """What happened to an asset, or to something of it."""
    return Entry(
        at=call.now,
        who=call.caller.name,
        what=what,
        user_id=call.caller.user_id,
        account_id=asset.account_id,
        asset_id=number,
    )


def given_in(body: BaseModel) -> dict[str, Any]:
    """The fields of a body that were given, understood, in order."""
    given = body.model_fields_set
    return {name: getattr(body, name) for name in type(body).model_fields if name in given}


def readable_sensors(
    state: State, caller: Caller, numbers: Iterable[int]
) -> Mapping[int, PlacedSensor]:
    """Those of some sensors that exist and that a caller may read."""
    found = state.placed.some(set(numbers))
    if not found or caller.sees_all:
        return found
    readable = Readable(caller, state.accounts.all())
    owners = {one: state.assets.get(one) for one in {each.asset_id for each in found.values()}}
    allowed = {one for one, asset in owners.items() if asset is not None and readable.asset(asset)}
    return {number: one for number, one in found.items() if one.asset_id in allowed}
