"""Copies of assets."""

from flexedge.errors import RequestError
from flexedge.gateway.service import tree
from flexedge.gateway.service.copying import copy
from flexedge.store.tables.assets import Asset
from flexedge.web.api.asset_check import PUBLIC
from flexedge.web.api.desk import room
from flexedge.web.api.op import Call, On, Op, Rejected, Reply, forbidden, invalid
from flexedge.web.api.parts import Parts
from flexedge.web.api.told import entry
from flexedge.wire.assets import Copied, CopyAsked

_WITHIN = (
    "Invalid copy target parent: cannot copy an asset to itself or any of its descendants."
)  # fmt: skip


def operations(parts: Parts) -> tuple[Op, ...]:
    """What can be copied."""
    copies = Copies(parts)
    return (
        Op(method="POST", path="/api/v3_0/assets/{id}/copy", run=copies.copy, tag="Assets",
           scope="manage", place="query", summary="Copy an asset, all below it, and their sensors",
           query=CopyAsked, on=On("asset", "read"), answers={201: Copied}),
    )  # fmt: skip


class Copies:
    """Copies assets."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._state = parts.state

    def copy(self, call: Call[CopyAsked, None]) -> Reply:
        """Copy the asset that was found."""
        asked, asset = call.query, call.found
        parent, account = self._target(call)
        self._demand(call, parent, account)
        if parent is not None and tree.is_below(self._state.assets, parent, call.number):
            raise Rejected(422, "UNPROCESSABLE_ENTITY", _WITHIN)
        if account is not None:
            room(self._state, account, "assets")
        number = copy(self._state, self._parts.beliefs, call.number, parent, account)
        made = self._state.assets.get(number)
        if made is not None:
            what = f"Copied asset '{asset.name}': {call.number} to '{made.name}': {number}"
            self._state.audit.add(entry(call, what, number, made))
        said = f"Successfully copied asset {call.number}"
        if asked.account is not None:
            said += f" to account {account}"
            said += "" if asked.parent is None else f" under parent {parent}"
        elif asked.parent is not None:
            said += f" to parent asset {parent}"
        return Reply(Copied(message=f"{said}.", asset=number), 201)

    def _target(self, call: Call[CopyAsked, None]) -> tuple[int | None, int | None]:
        """The parent and the account of the copy."""
        asked, asset = call.query, call.found
        if asked.account is not None and self._state.accounts.get(asked.account) is None:
            raise RequestError(404, f"Account {asked.account} not found")
        if asked.parent is not None:
            above = self._parent(asked.parent)
            return asked.parent, above.account_id if asked.account is None else asked.account
        if asked.account is not None:
            return None, asked.account
        return asset.parent_id, asset.account_id

    def _demand(self, call: Call[CopyAsked, None], parent: int | None, account: int | None) -> None:
        """Refuse a caller who may not put something there."""
        demand, caller = self._parts.demand, call.caller
        above = None if parent is None else self._parent(parent)
        if above is not None:
            demand(caller, "create-children", self._parts.thing(above))
            if above.account_id == account:
                return
        if account is not None:
            demand(caller, "create-children", self._parts.account(account))
        elif not caller.is_admin:
            forbidden(PUBLIC)

    def _parent(self, number: int) -> Asset:
        found = self._state.assets.get(number)
        if found is None:
            invalid({"parent": [f"No asset found with ID {number}."]}, "query")
        return found
