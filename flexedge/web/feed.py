"""Live events: asks the window once a second, however many pages are open."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import datetime

import structlog
from starlette.concurrency import run_in_threadpool

from flexedge.gateway.view import Window
from flexedge.web.answers import CHART, STATUS

EVERY_S = 1.0
_CHART_TICKS = 60
_LEAST_CHART_TICKS = 3  # a simulated day makes plans faster than anyone can look
MOST_STREAMS = 32
_log = structlog.get_logger(__name__)


def event(name: str, data: bytes) -> bytes:
    """One server-sent event; ``data`` is JSON on one line."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


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
        self._plan_made_at: datetime | None = None
        self._failing = False

    def close(self) -> None:
        """End every stream now, and every later one at once."""
        self._closing.set()

    @property
    def full(self) -> bool:
        """Whether as many streams are open as may be."""
        return self._streams >= MOST_STREAMS

    async def stream(self) -> AsyncGenerator[bytes | None, None]:
        """Events as they come; None once per round, for the caller to look around.

        A reader that is slow misses rounds; nothing queues up.
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
                    yield event("status", status)
                if chart and chart_number > chart_seen:
                    yield event("chart", chart)
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
        self._status = (self._status[0] + 1, STATUS.dump_json(status))
        return status.plan.made_at

    async def _refresh_chart(self) -> None:
        chart = await run_in_threadpool(self._window.chart)
        self._chart = (self._chart[0] + 1, CHART.dump_json(chart))

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
