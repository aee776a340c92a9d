"""What the gateway is, how it fares, its devices and what they were last told."""

from dataclasses import replace

from pydantic import TypeAdapter

from flexedge import __version__
from flexedge.domain.rights import Caller, Permission, Thing
from flexedge.gateway.edge import Edge
from flexedge.web.api.op import Call, Op, Rejected, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.gateway import About, Clock, ControlTold, DeviceTold, HealthTold

TAG = "Gateway"
ROOT = "/api/v3_0/gateway"
SITE_ACCOUNT = 1
"""Named after the site, where there is one; it owns what the site file defines."""
_NO_SITE = "This flexedge serves without a site: it has no devices, and nothing to control."
_DEVICES = TypeAdapter(tuple[DeviceTold, ...])
_CONTROLS = TypeAdapter(tuple[ControlTold, ...])


def of_site(parts: Parts) -> Thing:
    """Whose the gateway is: the account that owns the site."""
    return replace(parts.account(SITE_ACCOUNT), kind="gateway")


def site(parts: Parts, caller: Caller, permission: Permission = "read") -> Edge:
    """The site, for who may do that with it; 403 for others, 404 where there is no site."""
    parts.demand(caller, permission, of_site(parts))
    if parts.edge is None or parts.window is None:
        raise Rejected(404, "NO_SITE", _NO_SITE)
    return parts.edge


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations of this module."""
    began = parts.now()

    def about(call: Call[object, None]) -> Reply:
        if parts.edge is not None:
            return Reply(site(parts, call.caller).about())
        return Reply(
            About(
                version=__version__, mode="serve", site=None, timezone=None, currency=None,
                now=call.now, started=began, uptime_s=(call.now - began).total_seconds(),
                clock=Clock(trusted=True, speed=1.0), devices=0, alarms=0,
            )
        )  # fmt: skip

    def health(call: Call[object, None]) -> Reply:
        return Reply(site(parts, call.caller).health())

    def devices(call: Call[object, None]) -> Reply:
        return Reply(_DEVICES.dump_json(_told(parts, call)))

    def device(call: Call[object, None]) -> Reply:
        name, known = call.path["name"], _told(parts, call)
        for one in known:
            if one.name == name:
                return Reply(one)
        names = ", ".join(one.name for one in known)
        raise Rejected(404, "NOT_FOUND", f"There is no device {name!r}; there are {names}.")

    def setpoints(call: Call[object, None]) -> Reply:
        return Reply(_CONTROLS.dump_json(site(parts, call.caller).controls()))

    return (
        Op(method="GET", path=ROOT, run=about, tag=TAG, answers={200: About},
           summary="What this gateway is"),
        Op(method="GET", path=f"{ROOT}/health", run=health, tag=TAG, answers={200: HealthTold},
           summary="Alarms and loops, floor by floor"),
        Op(method="GET", path=f"{ROOT}/devices", run=devices, tag=TAG,
           answers={200: tuple[DeviceTold, ...]},
           summary="Devices: whether they answer, what they show, what they were told"),
        Op(method="GET", path=f"{ROOT}/devices/{{name}}", run=device, tag=TAG,
           answers={200: DeviceTold}, summary="One device"),
        Op(method="GET", path=f"{ROOT}/setpoints", run=setpoints, tag=TAG,
           answers={200: tuple[ControlTold, ...]},
           summary="What each control point was last told, and what came of it"),
    )  # fmt: skip


def _told(parts: Parts, call: Call[object, None]) -> tuple[DeviceTold, ...]:
    edge = site(parts, call.caller)
    return () if parts.window is None else edge.devices(parts.window.status())
