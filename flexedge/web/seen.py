"""What the page shows of the site: one handler per route, each a few lines around one call."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from flexedge.errors import RequestError
from flexedge.gateway.view import Window
from flexedge.web.answers import BELIEFS, CHART, DEVICES, STATUS, TOTALS, answer
from flexedge.web.auth import Access
from flexedge.web.feed import Feed, watched
from flexedge.web.routes import allowed, authorization, session_token

LONGEST_SPAN = timedelta(days=31)
_ASK_AGAIN_ROUNDS = 60


def _span(request: Request) -> tuple[datetime, datetime]:
    """The times asked for: ``start`` before ``end``, aware, at most 31 days apart."""
    times = []
    for name in ("start", "end"):
        text = request.query_params.get(name, "").replace(" ", "+")  # a plus that nobody quoted
        try:
            times.append(datetime.fromisoformat(text))
        except ValueError:
            raise RequestError(
                422, f"{name} should be a time such as 2026-03-01T00:00:00Z."
            ) from None
        if times[-1].tzinfo is None:
            raise RequestError(422, f"{name} has no time zone; add Z or +01:00.")
    if not timedelta(0) < times[1] - times[0] <= LONGEST_SPAN:
        raise RequestError(422, f"end should be after start, by at most {LONGEST_SPAN.days} days.")
    return times[0], times[1]


class Seen:
    """The handlers. Policies are in the table of ``app``, not here."""

    def __init__(self, window: Window, access: Access, feed: Feed) -> None:
        self._window = window
        self._access = access
        self._feed = feed

    async def status(self, _request: Request) -> Response:
        """The site now."""
        return answer(STATUS, await run_in_threadpool(self._window.status))

    async def devices(self, _request: Request) -> Response:
        """The devices, as in the status."""
        return answer(DEVICES, (await run_in_threadpool(self._window.status)).devices)

    async def chart(self, _request: Request) -> Response:
        """Prices, powers and states of charge around now."""
        return answer(CHART, await run_in_threadpool(self._window.chart))

    async def beliefs(self, request: Request) -> Response:
        """What was believed about a sensor between two times."""
        sensor = request.query_params.get("sensor")
        if not sensor:
            raise RequestError(422, "sensor is missing.")
        start, end = _span(request)
        return answer(BELIEFS, await run_in_threadpool(self._window.beliefs, sensor, start, end))

    async def totals(self, request: Request) -> Response:
        """Energies and counts between two times."""
        start, end = _span(request)
        return answer(TOTALS, await run_in_threadpool(self._window.totals, start, end))

    async def events(self, request: Request) -> Response:
        """Live events until the page closes, the session ends or the server stops."""
        if self._feed.full:
            raise RequestError(503, "Too many pages are open.")
        return StreamingResponse(
            self._stream(request),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    def _stream(self, request: Request) -> AsyncIterator[bytes]:
        sessions = self._access.sessions

        async def welcome() -> bool:
            return await run_in_threadpool(self._welcome, request)

        return watched(
            self._feed.stream(), welcome, _ASK_AGAIN_ROUNDS, lambda: sessions.revision
        )  # fmt: skip

    def _welcome(self, request: Request) -> bool:
        caller = self._access.caller(authorization(request), session_token(request))
        return allowed("viewer", caller, self._access)
