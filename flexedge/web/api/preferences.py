"""How a user likes the page of an asset."""

from flexedge.domain.rights import Caller
from flexedge.web.api.op import Call, Op, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.assets import LegendsWanted, Said, ViewWanted


def operations(parts: Parts) -> tuple[Op, ...]:
    """What can be preferred."""
    preferences = Preferences(parts)
    path = "/api/v3_0/assets"
    return (
        Op(method="POST", path=f"{path}/default_asset_view", run=preferences.view, tag="Assets",
           summary="Choose the page of an asset to see first", body=ViewWanted,
           answers={200: Said}),
        Op(method="POST", path=f"{path}/keep_legends_below_graphs", run=preferences.legends,
           tag="Assets", summary="Choose where the legends of charts are", body=LegendsWanted,
           answers={200: Said}),
    )  # fmt: skip


class Preferences:
    """Keeps what a user prefers, with the user."""

    def __init__(self, parts: Parts) -> None:
        self._state = parts.state

    def view(self, call: Call[None, ViewWanted]) -> Reply:
        """Which page of an asset is seen first."""
        wanted = call.body.default_asset_view if call.body.use_as_default else None
        self._keep(call.caller, "default_asset_view", wanted)
        return Reply(Said(message="Default asset view updated successfully."))

    def legends(self, call: Call[None, LegendsWanted]) -> Reply:
        """Whether legends are below charts."""
        wanted = "true" if call.body.keep_legends_below_graphs else None
        self._keep(call.caller, "keep_legends_below_graphs", wanted)
        return Reply(Said(message="Default legend position updated successfully."))

    def _keep(self, caller: Caller, name: str, value: str | None) -> None:
        fact = preference(caller, name)
        if value is None:
            self._state.forget(fact)
        else:
            self._state.remember(fact, value)


def preference(caller: Caller, name: str) -> str:
    """What the fact is called that keeps a preference."""
    who = caller.kind if caller.user_id is None else str(caller.user_id)
    return f"preference/{who}/{name}"
