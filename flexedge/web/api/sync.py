"""How far centres know what the gateway knows, and having them asked at once."""

from typing import Final

from flexedge.domain.rights import Caller, Permission
from flexedge.gateway.sync import told
from flexedge.web.api.gateway import ROOT, of_site
from flexedge.web.api.op import Call, Op, Rejected, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.sync import AskedTold, AskSync, SyncTold

TAG: Final = "Centres"
SYNC: Final = f"{ROOT}/sync"


def demand(parts: Parts, caller: Caller, permission: Permission = "read") -> None:
    """Refuse whoever may not do that with the gateway, with a site or without one (403)."""
    parts.demand(caller, permission, of_site(parts))


def no_centre(parts: Parts, name: str) -> Rejected:
    """A name that no centre has."""
    names = ", ".join(one.name for one in parts.state.centres.all().values())
    there = f"there are {names}" if names else "this gateway is linked with none"
    return Rejected(404, "NOT_FOUND", f"There is no centre {name!r}: {there}.")


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations of this module."""

    def status(call: Call[object, None]) -> Reply:
        demand(parts, call.caller)
        return Reply(told.told(parts.centres, parts.state, call.now))

    def now(call: Call[object, AskSync]) -> Reply:
        demand(parts, call.caller, "update")
        name = call.body.centre
        if name is not None and not parts.state.centres.find(name=name):
            raise no_centre(parts, name)
        asked = () if parts.centres is None else parts.centres.ask(name)
        words = f"{', '.join(asked)}: asked now" if asked else told.NOT_LINKED
        return Reply(AskedTold(centres=asked, message=words), 202)

    return (
        Op(method="GET", path=SYNC, run=status, tag=TAG, answers={200: SyncTold},
           summary="How far central servers know what the gateway knows"),
        Op(method="POST", path=f"{SYNC}/now", run=now, tag=TAG, scope="manage", body=AskSync,
           answers={202: AskedTold},
           summary="Send and ask at once, whatever was waited for"),
    )  # fmt: skip
