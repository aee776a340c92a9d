"""New beliefs of some sensors as they come: as server-sent events, or waited for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Final

import numpy as np
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from flexedge.domain.rights import may
from flexedge.store.rows import Beliefs, Micros, moment
from flexedge.store.runs import starts
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.many import Many, numbered
from flexedge.web.api.op import Call, Json, Op, Rejected, Reply, Welcome
from flexedge.web.api.parts import Parts
from flexedge.web.newsreel import News, Newsreel
from flexedge.wire.data import Live
from flexedge.wire.shape import duration_text

HEARTBEAT_S: Final = 15.0
MOST_STREAMS: Final = 64


def operations(parts: Parts) -> tuple[Op, ...]:
    """What can be asked of what is newly believed."""
    parts.beliefs.listen(parts.reel.hear)
    live = LiveData(parts, parts.reel)
    return (
        Op(
            method="GET",
            path="/api/v3_0/data/live",
            run=live.get,
            summary="New data of several sensors, as it comes",
            tag="Data",
            query=Live,
            answers={200: str},
            description="Server-sent events: beliefs, with the cursor as their id, and missed where"
            " more was stored than is remembered. With `wait` one JSON object as soon as there is"
            " something new after `since`, or when that many seconds are over.",
        ),
    )


class LiveData:
    """Streams and waits for what is newly believed."""

    def __init__(
        self,
        parts: Parts,
        reel: Newsreel,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        most: int = MOST_STREAMS,
    ) -> None:
        self._parts = parts
        self._reel = reel
        self._heartbeat_s = heartbeat_s
        self._many = Many(parts)
        self._most = most
        self._streams = 0

    def get(self, call: Call[Live, None]) -> Reply:
        """A stream, or what there is after a wait."""
        found = self._many.sensors(call, numbered(call.query.sensors), "read")
        if self._streams >= self._most:
            raise Rejected(503, "BUSY", "Too many streams are open.", {"Retry-After": "5"})
        since = call.query.since or call.headers.get("last-event-id") or self._reel.cursor
        if call.query.wait is not None:
            wait = call.query.wait
            return Reply(stream=lambda _: self._waited(found, since, wait))

        def allowed() -> bool:
            there = (self._parts.state.placed.get(number) for number in found)
            return all(
                one is not None and may(call.caller, "read", self._parts.thing(one))
                for one in there
            )

        def stream(welcome: Welcome) -> AsyncIterator[bytes]:
            async def still() -> bool:
                return await welcome() and await run_in_threadpool(allowed)

            return self._events(found, since, still)

        return Reply(
            stream=stream,
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
        )

    async def _waited(
        self, found: Mapping[int, PlacedSensor], since: str, wait_s: float
    ) -> AsyncIterator[bytes]:
        """One JSON object: what is new, and the place after it."""
        self._streams += 1
        try:
            news = await self._news(found, since, wait_s)
        finally:
            self._streams -= 1
        answer = {"cursor": news.cursor, "missed": news.missed, "data": told(news.rows, found)}
        yield to_json(answer)

    async def _news(self, found: Mapping[int, PlacedSensor], since: str, wait_s: float) -> News:
        news = self._reel.since(since, found)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while not (len(news.rows) or news.missed or self._reel.closed):
                    await self._reel.wait(news.cursor, wait_s)
                    news = self._reel.since(news.cursor, found)
        return news

    async def _events(
        self, found: Mapping[int, PlacedSensor], since: str, welcome: Welcome
    ) -> AsyncIterator[bytes]:
        """Events until the caller is not welcome any more; a sign of life now and then."""
        self._streams += 1
        due, cursor = asyncio.Event(), since
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._heartbeat_s, due.set)
        try:
            yield b": welcome\n\n"
            while not self._reel.closed:
                news = self._reel.since(cursor, found)
                cursor = news.cursor
                for piece in _pieces(news, found):
                    yield piece
                await self._reel.wait(cursor, self._heartbeat_s)
                if due.is_set():
                    if not await welcome():
                        return
                    due.clear()
                    timer = loop.call_later(self._heartbeat_s, due.set)
                    yield b": still here\n\n"
        finally:
            timer.cancel()
            self._streams -= 1


def _pieces(news: News, found: Mapping[int, PlacedSensor]) -> Iterator[bytes]:
    if news.missed:
        yield _event("missed", news.cursor, b'{"message":"Read the data anew."}')
    for one in told(news.rows, found):
        yield _event("beliefs", news.cursor, to_json(one))


def _event(name: str, cursor: str, data: bytes) -> bytes:
    return f"event: {name}\nid: {cursor}\ndata: ".encode() + data + b"\n\n"


def told(rows: Beliefs, found: Mapping[int, PlacedSensor]) -> list[Json]:
    """New beliefs as JSON, one for each sensor and source in a row; in the sensor's unit."""
    begins = np.flatnonzero(starts(rows.sensor, rows.source)) if len(rows) else np.empty(0, int)
    groups = [rows.take(part) for part in np.split(np.arange(len(rows)), begins[1:])]
    return [
        {
            "sensor": int(one.sensor[0]),
            "source": int(one.source[0]),
            "unit": found[int(one.sensor[0])].unit,
            "resolution": duration_text(found[int(one.sensor[0])].resolution),
            "event-starts": _texts(one.event_us),
            "belief-times": _texts(one.belief_us),
            "probabilities": one.probability.tolist(),
            "values": one.value.tolist(),
        }
        for one in groups
        if len(one)
    ]


def _texts(micros: Micros) -> list[str]:
    return [moment(one).isoformat() for one in micros.tolist()]
