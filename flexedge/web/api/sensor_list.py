"""The list of sensors."""

from collections.abc import Mapping

from flexedge.domain.rights import CONSULTANT
from flexedge.errors import RequestError
from flexedge.gateway.service import tree
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.op import Call, Op, Reply, invalid
from flexedge.web.api.pages import matches, page_of, terms
from flexedge.web.api.parts import Parts
from flexedge.web.api.told import Readable, authority, sensor_told
from flexedge.wire.sensors import SensorPage, SensorsAsked, SensorTold


def operations(parts: Parts) -> tuple[Op, ...]:
    """What lists of sensors can be asked for."""
    sensors = SensorList(parts)
    return (
        Op(method="GET", path="/api/v3_0/sensors", run=sensors.accessible, tag="Sensors",
           place="query", summary="List sensors", query=SensorsAsked,
           answers={200: list[SensorTold] | SensorPage}),
    )  # fmt: skip


class SensorList:
    """Finds and tells sensors."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._state = parts.state

    def accessible(self, call: Call[SensorsAsked, None]) -> Reply:
        """The sensors that the caller may read, as far as they are asked for."""
        asked, accounts = call.query, self._state.accounts.all()
        every = self._state.assets.all()
        readable = Readable(call.caller, accounts)
        assets = self._assets(call, every, readable)
        assets = {number: one for number, one in assets.items() if readable.asset(one)}
        found = [
            (number, one)
            for number, one in self._placed(assets, every).items()
            if asked.unit in (None, one.unit)
        ]
        wanted = terms(asked.filter)
        if wanted:
            found = [
                (number, one) for number, one in found
                if any(matches(term, number, one.name, *_names(assets[one.asset_id], accounts))
                       for term in wanted)
            ]  # fmt: skip
        host = authority(call.headers.get("host"), call.now)
        told = [sensor_told(number, one, host) for number, one in page_of(found, asked)]
        if asked.page is None:
            return Reply(told)
        return Reply(SensorPage(data=told, num_records=len(found), filtered_records=len(found)))

    def _assets(
        self, call: Call[SensorsAsked, None], every: Mapping[int, Asset], readable: Readable
    ) -> dict[int, Asset]:
        """The assets whose sensors are asked for."""
        asked = call.query
        if asked.account is not None and asked.account not in readable.accounts:
            raise RequestError(404, f"Account {asked.account} not found")
        if asked.asset is not None:
            inside = set(self._inside(call, asked.asset, every))
            found = {number: one for number, one in every.items() if number in inside}
        else:
            mine = self._accounts(call, readable)
            found = {number: one for number, one in every.items() if one.account_id in mine}
        if asked.include_public_assets:
            found |= {number: one for number, one in every.items() if one.account_id is None}
        return found

    def _inside(
        self, call: Call[SensorsAsked, None], number: int, every: Mapping[int, Asset]
    ) -> list[int]:
        account = call.query.account
        if number not in every:
            invalid({"asset": [f"No asset found with ID {number}."]}, "query")
        if account is not None and every[number].account_id != account:
            raise RequestError(422, "Please provide either an account or an asset ID, not both")
        self._parts.demand(call.caller, "read", self._parts.thing(every[number]))
        return tree.below(every, number)

    def _accounts(self, call: Call[SensorsAsked, None], readable: Readable) -> set[int]:
        asked = call.query
        own = call.caller.account_id if asked.account is None else asked.account
        if own is None:
            return readable.numbers()
        self._parts.demand(call.caller, "read", self._parts.account(own))
        clients = {
            number for number, one in readable.accounts.items() if one.consultancy_account_id == own
        }  # fmt: skip
        allowed = asked.include_consultancy_clients and CONSULTANT in call.caller.roles
        return {own} | (clients if allowed else set())

    def _placed(
        self, assets: Mapping[int, Asset], every: Mapping[int, Asset]
    ) -> Mapping[int, PlacedSensor]:
        """The sensors of some assets, by one query."""
        if len(assets) * 2 < len(every):
            return self._state.placed.of(*assets)
        found = self._state.placed.all()
        return {number: one for number, one in found.items() if one.asset_id in assets}


def _names(asset: Asset, accounts: Mapping[int, Account]) -> tuple[str, str]:
    account = None if asset.account_id is None else accounts.get(asset.account_id)
    return asset.name, "" if account is None else account.name
