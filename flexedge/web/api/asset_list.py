"""Lists of assets, and of the sensors of one."""

from collections.abc import Mapping
from typing import Any

from flexedge.errors import RequestError
from flexedge.gateway.service import tree
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.web.api.op import Call, On, Op, Reply, invalid
from flexedge.web.api.pages import matches, page_of, terms
from flexedge.web.api.parts import Parts
from flexedge.web.api.told import Readable, assets_told, authority, sensor_told, types
from flexedge.wire.assets import (
    DEFAULT_FIELDS,
    AssetPage,
    AssetsAsked,
    AssetSensorsAsked,
    AssetTold,
    PublicAsked,
)
from flexedge.wire.sensors import SensorPage

Found = list[tuple[int, Asset]]
Json = dict[str, Any]


def operations(parts: Parts) -> tuple[Op, ...]:
    """What lists of assets can be asked for."""
    lists = Lists(parts)
    path = "/api/v3_0/assets"
    listed = list[AssetTold] | list[Json]
    return (
        Op(method="GET", path=path, run=lists.accessible, tag="Assets", place="query",
           summary="List assets accessible by the user", query=AssetsAsked,
           answers={200: listed | AssetPage}),
        Op(method="GET", path=f"{path}/public", run=lists.public, tag="Assets", place="query",
           summary="List public assets", query=PublicAsked, answers={200: listed}),
        Op(method="GET", path=f"{path}/{{id}}/sensors", run=lists.sensors, tag="Assets",
           place="query", summary="List the sensors of an asset", query=AssetSensorsAsked,
           on=On("asset", "read"), answers={200: SensorPage}),
    )  # fmt: skip


class Lists:
    """Finds, sorts and tells assets."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._state = parts.state

    def accessible(self, call: Call[AssetsAsked, None]) -> Reply:
        """The assets that the caller may read, as far as they are asked for."""
        asked = call.query
        accounts = self._state.accounts.all()
        readable = Readable(call.caller, accounts)
        mine = self._accounts(call, readable)
        every = self._state.assets.all()
        public = asked.include_public
        public |= asked.account is None and (asked.all_accessible or asked.root is not None)
        kind = self._kind(asked.asset_type)
        found = [
            (number, one)
            for number, one in every.items()
            if (public if one.account_id is None else one.account_id in mine)
            and (kind is None or one.kind == kind)
        ]
        records = len(found)
        if asked.external_id is not None:
            found = [pair for pair in found if pair[1].external_id == asked.external_id]
        if asked.root is not None or asked.depth is not None:
            if asked.root is not None and asked.root not in every:
                invalid({"root": [f"No asset found with ID {asked.root}."]}, "query")
            inside = set(tree.below(every, asked.root, asked.depth))
            found = [pair for pair in found if pair[0] in inside]
        found = _sorted(_searched(found, asked.filter, accounts), asked, accounts)
        told = self._told(dict(page_of(found, asked)), asked.fields, every)
        if asked.page is None:
            return Reply(told)
        return Reply(AssetPage(data=told, num_records=records, filtered_records=len(found)))

    def public(self, call: Call[PublicAsked, None]) -> Reply:
        """All public assets."""
        every = self._state.assets.all()
        found = {number: one for number, one in every.items() if one.account_id is None}
        return Reply(self._told(found, call.query.fields, every))

    def sensors(self, call: Call[AssetSensorsAsked, None]) -> Reply:
        """The sensors of the asset that was found."""
        asked, every = call.query, self._state.placed.of(call.number)
        wanted = terms(asked.filter)
        found = [
            (number, one) for number, one in every.items()
            if not wanted or any(matches(term, number, one.name) for term in wanted)
        ]  # fmt: skip
        if asked.sort_by is not None:
            sort_by = asked.sort_by
            found.sort(
                key=lambda pair: pair[0] if sort_by == "id" else getattr(pair[1], sort_by),
                reverse=asked.sort_dir == "desc",
            )
        host = authority(call.headers.get("host"), call.now)
        told = [sensor_told(number, one, host) for number, one in page_of(found, asked)]
        return Reply(SensorPage(data=told, num_records=len(every), filtered_records=len(found)))

    def _accounts(self, call: Call[AssetsAsked, None], readable: Readable) -> set[int]:
        """The accounts whose assets are asked for. Refuses one that may not be read."""
        asked = call.query
        if asked.account is not None:
            if asked.account not in readable.accounts:
                raise RequestError(404, f"Account {asked.account} not found")
            self._parts.demand(call.caller, "read", self._parts.account(asked.account))
            return {asked.account}
        own = call.caller.account_id
        if asked.all_accessible or asked.root is not None or own is None:
            return readable.numbers()
        return {own}

    def _kind(self, number: int | None) -> str | None:
        if number is None:
            return None
        kind = types(self._state).names.get(number)
        if kind is None:
            invalid({"asset_type": [f"No generic asset type found with id {number}."]}, "query")
        return kind

    def _told(
        self, found: Mapping[int, Asset], fields: str, every: Mapping[int, Asset]
    ) -> list[AssetTold] | list[Json]:
        told = assets_told(self._state, found, every)
        names = [name for name in fields.split("|") if name.strip()]
        if names in ([], list(DEFAULT_FIELDS)):
            return told
        return [one.model_dump(mode="json", include=set(names)) for one in told]


def _searched(found: Found, text: str | None, accounts: Mapping[int, Account]) -> Found:
    """Assets whose names, owners' names or numbers have every term."""
    wanted = terms(text)
    return [
        (number, one)
        for number, one in found
        if all(matches(term, number, one.name, _owner(one, accounts)) for term in wanted)
    ]


def _sorted(found: Found, asked: AssetsAsked, accounts: Mapping[int, Account]) -> Found:
    def key(pair: tuple[int, Asset]) -> Any:
        number, one = pair
        return {"id": number, "name": one.name}.get(asked.sort_by or "id", _owner(one, accounts))

    return sorted(found, key=key, reverse=asked.sort_dir == "desc")


def _owner(asset: Asset, accounts: Mapping[int, Account]) -> str:
    account = None if asset.account_id is None else accounts.get(asset.account_id)
    return "" if account is None else account.name
