"""How far centres know what the gateway knows, and having them asked at once."""

from datetime import datetime
from typing import Final

from flexedge.domain.rights import Caller, Permission
from flexedge.gateway.sync import came, told
from flexedge.gateway.sync.veto import say, veto
from flexedge.web.api.gateway import ROOT, of_site
from flexedge.web.api.op import Call, Op, Rejected, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.sync import AskedTold, AskSync, AskVeto, SyncTold, VetoedTold

TAG: Final = "Centres"
SYNC: Final = f"{ROOT}/sync"
_VETO: Final = {
    True: "Nothing that centres ask for takes effect on this site any more, until it is let again.",
    False: "What centres ask for takes effect again, as far as the site file allows.",
}
_AS_BEFORE: Final = "That is so already."


def demand(parts: Parts, caller: Caller, permission: Permission = "read") -> None:
    """Refuse whoever may not do that with the gateway, with a site or without one (403)."""
    parts.demand(caller, permission, of_site(parts))


def no_centre(parts: Parts, name: str) -> Rejected:
    """A name that no centre has."""
    names = ", ".join(one.name for one in parts.state.centres.all().values())
    there = f"there are {names}" if names else "this gateway is linked with none"
    return Rejected(404, "NOT_FOUND", f"There is no centre {name!r}: {there}.")


def _say(parts: Parts, who: str, now: datetime, *, on: bool) -> bool:
    """Put a veto in force, and with it end what is; or lift it. Whether that changed anything."""
    if parts.edge is None:
        return veto(parts.state, who, now, on=on)
    return say(parts.edge.gateway, who, now, on=on)


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations of this module."""

    def status(call: Call[object, None]) -> Reply:
        demand(parts, call.caller)
        gateway = None if parts.edge is None else parts.edge.gateway
        stands = told.told(parts.centres, parts.state, call.now)
        return Reply(stands.model_copy(update={"plans": came.plans(gateway, call.now)}))

    def now(call: Call[object, AskSync]) -> Reply:
        demand(parts, call.caller, "update")
        name = call.body.centre
        if name is not None and not parts.state.centres.find(name=name):
            raise no_centre(parts, name)
        asked = () if parts.centres is None else parts.centres.ask(name)
        if asked:
            words = f"{', '.join(asked)}: asked now"
        else:
            words = told.told(parts.centres, parts.state, call.now).message
        return Reply(AskedTold(centres=asked, message=words), 202)

    def forbid(call: Call[object, AskVeto]) -> Reply:
        demand(parts, call.caller, "update")
        who = call.caller.name or call.caller.kind
        changed = _say(parts, who, call.now, on=call.body.on)
        words = _VETO[call.body.on] if changed else _AS_BEFORE
        return Reply(VetoedTold(veto=told.veto_told(parts.state), message=words))

    return (
        Op(method="GET", path=SYNC, run=status, tag=TAG, answers={200: SyncTold},
           summary="How far central servers know what the gateway knows"),
        Op(method="POST", path=f"{SYNC}/now", run=now, tag=TAG, scope="manage", body=AskSync,
           answers={202: AskedTold},
           summary="Send and ask at once, whatever was waited for"),
        Op(method="POST", path=f"{SYNC}/veto", run=forbid, tag=TAG, scope="control", body=AskVeto,
           answers={200: VetoedTold},
           summary="Let nothing that centres ask for take effect on site, or let it again"),
    )  # fmt: skip
