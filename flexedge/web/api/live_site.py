"""What happens on site as it happens: as server-sent events, or waited for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from flexedge.web.api.gateway import ROOT, TAG, site
from flexedge.web.api.op import Call, Op, Rejected, Reply, Sent, Welcome
from flexedge.web.api.parts import Parts
from flexedge.web.feed import Feed, numbered, watched
from flexedge.wire.gateway import Since

_ASK_AGAIN_ROUNDS = 15
_NAMES = {"status": "status", "chart": "schedule"}


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations of this module."""

    def live(call: Call[object, None]) -> Reply:
        feed = _feed(parts, call)

        def stream(welcome: Welcome) -> AsyncIterator[bytes]:
            return watched(feed.stream(_told), welcome, _ASK_AGAIN_ROUNDS)

        return Reply(
            stream=stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )

    def status(call: Call[Since, None]) -> Reply:
        feed, since, wait = _feed(parts, call), call.query.since, call.query.wait
        return Reply(stream=lambda _welcome: _waited(feed, since, wait))

    return (
        Op(method="GET", path=f"{ROOT}/live", run=live, tag=TAG,
           answers={200: Sent("text/event-stream")},
           summary="Events: status every second, schedule with every plan",
           description="status: device states, setpoints and alarms. schedule: prices, powers and "
           "states of charge, measured and planned. Heartbeats every 15 s; ends with the token."),
        Op(method="GET", path=f"{ROOT}/status", run=status, tag=TAG, query=Since,
           answers={200: dict}, summary="The site, when something happened since a revision",
           description="Answers at once where the revision is not `since`, or after `wait` "
           "seconds. States, setpoints, overrides, alarms and plans count; values do not."),
    )  # fmt: skip


def _feed(parts: Parts, call: Call[Any, None]) -> Feed:
    site(parts, call.caller)
    if parts.feed is None or parts.feed.full:
        raise Rejected(503, "BUSY", "Too many streams are open.", {"Retry-After": "5"})
    return parts.feed


def _told(name: str, data: bytes, number: int) -> bytes:
    return numbered(_NAMES[name], data, number)


async def _waited(feed: Feed, since: int, wait_s: float) -> AsyncIterator[bytes]:
    """One JSON object: the revision, and the status then."""
    try:
        revision, status = await asyncio.wait_for(feed.news(since), wait_s)
    except TimeoutError:
        revision, status = await feed.newest()
    yield b'{"revision":%d,"status":%s}' % (revision, status or b"null")
