"""Live events: asks the window once a second, however many pages are open."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from datetime import datetime

import structlog
from starlette.concurrency import run_in_threadpool

from flexedge.gateway.view import Status, Window
from flexedge.web.answers import CHART, STATUS

EVERY_S = 1.0
_CHART_TICKS = 60
_LEAST_CHART_TICKS = 3  # a simulated day makes plans faster than anyone can look
MOST_STREAMS = 32
_STILL_THERE_ROUNDS = 15
_log = structlog.get_logger(__name__)
Tell = Callable[[str, bytes, int], bytes]
"""How an event is put into words: from its name, its data and its number."""


def event(name: str, data: bytes) -> bytes:
    """One server-sent event; ``data`` is JSON on one line."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


def numbered(name: str, data: bytes, number: int) -> bytes:
    """The same with its number as id."""
    return b"id: %d\n" % number + event(name, data)


def _plain(name: str, data: bytes, _number: int) -> bytes:
    return event(name, data)


async def watched(
    pieces: AsyncGenerator[bytes | None, None],
    welcome: Callable[[], Awaitable[bool]],
    rounds: int,
    due: Callable[[], object] = lambda: None,
) -> AsyncIterator[bytes]:
    """A stream with heartbeats, which ends when its reader is not welcome any more.

    That is asked every so many rounds, and whenever ``due()`` gives something else than before.
    """
    yield b"retry: 2000\n\n"
    known, count = due(), 0
    async with contextlib.aclosing(pieces):
        async for piece in pieces:
            if piece is not None:
                yield piece
                continue
            count += 1
            if count % _STILL_THERE_ROUNDS == 0:
                yield b":\n\n"
            newest = due()
            if newest != known or count % rounds == 0:
                known = newest
                if not await welcome():
                    return


def essence(status: Status) -> object:
    """What is news for who does not look at every value: states, alarms, orders, plans."""
    devices = tuple((one.name, one.state) for one in status.devices)
    orders = tuple(
        (one.name, one.plugged, one.override, one.control and (one.control.setpoint_kw,
         one.control.outcome, one.control.verified)) for one in status.assets
    )  # fmt: skip
    return devices, orders, status.alarms, status.plan.rung, status.plan.made_at


class Feed:
    """The newest status and chart, made once for all streams while there are any.

    Belongs to the server's event loop: every call but the constructor must come from it.
    """

    def __init__(self, window: Window, every_s: float = EVERY_S) -> None:
        self._window = window
        self._every_s = every_s
        self._streams = 0
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._closing = asyncio.Event()
        self._status: tuple[int, bytes] = (0, b"")
        self._chart: tuple[int, bytes] = (0, b"")
        self._essence: object = None
        self._news = 0
        self._plan_made_at: datetime | None = None
        self._failing = False

    def close(self) -> None:
        """End every stream now, and every later one at once."""
        self._closing.set()

    @property
    def full(self) -> bool:
        """Whether as many streams are open as may be."""
        return self._streams >= MOST_STREAMS

    async def news(self, since: int) -> tuple[int, bytes]:
        """The status when it is news, and its number; at once where that is not ``since``.

        Also when the server stops. To be cancelled by who has waited long enough.
        """
        async with contextlib.aclosing(self.stream()) as rounds:
            async for _ in rounds:
                if self._status[1] and self._news != since:
                    break
        return self._news, self._status[1]

    async def newest(self) -> tuple[int, bytes]:
        """The status now, and the number of the last news."""
        if self._task is None or not self._status[1]:
            await self._refresh_status()
        return self._news, self._status[1]

    async def stream(self, tell: Tell = _plain) -> AsyncGenerator[bytes | None, None]:
        """Events as they come; None once per round, for the caller to look around.

        Their numbers grow, also over restarts as long as the clock does. A reader that is slow
        misses rounds; nothing queues up.
        """
        self._streams += 1
        if self._task is None:
            self._status, self._chart = (self._status[0], b""), (self._chart[0], b"")
            self._task = asyncio.create_task(self._run())
        status_seen = chart_seen = 0
        try:
            while True:
                status_number, status = self._status
                chart_number, chart = self._chart
                if status and status_number > status_seen:
                    yield tell("status", status, status_number)
                if chart and chart_number > chart_seen:
                    yield tell("chart", chart, chart_number)
                status_seen, chart_seen = status_number, chart_number
                async with self._changed:
                    if self._closing.is_set():
                        return
                    await self._changed.wait()
                yield None
        finally:
            self._streams -= 1

    async def _run(self) -> None:
        tick, chart_tick = 0, -_CHART_TICKS
        while self._streams and not self._closing.is_set():
            try:
                made_at = await self._refresh_status()
                since = tick - chart_tick
                fresh = made_at != self._plan_made_at and since >= _LEAST_CHART_TICKS
                if fresh or since >= _CHART_TICKS:
                    await self._refresh_chart()
                    chart_tick, self._plan_made_at = tick, made_at
                self._failing = False
            except Exception:  # noqa: BLE001 - the one broad except of this loop
                if not self._failing:
                    _log.exception("no live events: the gateway's view failed")
                self._failing = True
            await self._tell()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._every_s)
            tick += 1
        self._task = None  # before anything is awaited: a stream that comes now starts another one
        await self._tell()

    async def _refresh_status(self) -> datetime | None:
        status = await run_in_threadpool(self._window.status)
        number = self._next(status.now)
        self._status = (number, STATUS.dump_json(status))
        newest = essence(status)
        if newest != self._essence:
            self._essence, self._news = newest, number
        return status.plan.made_at

    async def _refresh_chart(self) -> None:
        chart = await run_in_threadpool(self._window.chart)
        self._chart = (self._next(chart.now), CHART.dump_json(chart))

    def _next(self, now: datetime) -> int:
        return max(self._status[0], self._chart[0], int(now.timestamp() * 1000)) + 1

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
