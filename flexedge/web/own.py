"""What the page itself asks: one handler per route, each a few lines around one call."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from flexedge.errors import RequestError
from flexedge.gateway.view import Window
from flexedge.web.answers import BELIEFS, CHART, DEVICES, STATUS, TOTALS, answer
from flexedge.web.auth import Access
from flexedge.web.feed import Feed
from flexedge.web.routes import bearer_token, cookie_name, session_token
from flexedge.web.sessions import ABSOLUTE
from flexedge.web.turnstile import Turnstile

LONGEST_SPAN = timedelta(days=31)
_ASK_AGAIN_ROUNDS = 60
_STILL_THERE_ROUNDS = 15


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Claim(_Body):
    """Who becomes the owner."""

    code: str
    password: str


class Login(_Body):
    """Who says to be the owner."""

    password: str


class NewPassword(_Body):
    """A change of password; programs with the local token may leave out the old one."""

    old: str | None = None
    new: str


_M = TypeVar("_M", bound=_Body)


async def _body(request: Request, model: type[_M]) -> _M:
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        places = {".".join(str(part) for part in e["loc"]) or "body" for e in error.errors()}
        raise RequestError(422, f"Not understood: {', '.join(sorted(places))}.") from error


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"


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


def _logged_in(request: Request, token: str, response: Response) -> Response:
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=int(ABSOLUTE.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


class Api:
    """The handlers. Policies are in the table of ``app``, not here."""

    def __init__(self, window: Window, access: Access, feed: Feed) -> None:
        self._window = window
        self._access = access
        self._feed = feed
        self._turnstile = Turnstile()

    async def health(self, _request: Request) -> Response:
        """Whether the web server answers: says nothing about the site."""
        return JSONResponse({"status": "ok"})

    async def session(self, request: Request) -> Response:
        """Whether there is an owner, and whether it is you."""
        claimed = await run_in_threadpool(lambda: self._access.claimed)
        return JSONResponse({"claimed": claimed, "owner": request.state.role != "nobody"})

    async def claim(self, request: Request) -> Response:
        """Become the owner with the claim code."""
        body = await _body(request, Claim)
        token = await self._turnstile.run(
            self._access.claim, body.code, body.password, _address(request)
        )
        return _logged_in(request, token, JSONResponse({"owner": True}))

    async def login(self, request: Request) -> Response:
        """Log in with the password."""
        body = await _body(request, Login)
        token = await self._turnstile.run(
            self._access.login, body.password, _address(request), session_token(request)
        )
        return _logged_in(request, token, JSONResponse({"owner": True}))

    async def logout(self, request: Request) -> Response:
        """End this session."""
        token = session_token(request)
        if token is not None:
            await run_in_threadpool(self._access.sessions.close, token)
        response = JSONResponse({"owner": False})
        response.delete_cookie(cookie_name(request), path="/", httponly=True, samesite="strict")
        return response

    async def password(self, request: Request) -> Response:
        """Change the password; every other session ends."""
        body = await _body(request, NewPassword)
        if body.old is None and request.state.role != "local":
            raise RequestError(422, "Not understood: old.")
        old = None if request.state.role == "local" else body.old
        token = await self._turnstile.run(
            self._access.change_password, old, body.new, _address(request)
        )
        return _logged_in(request, token, JSONResponse({"owner": True}))

    async def ticket(self, request: Request) -> Response:
        """A link that logs in with one click."""
        ticket = await run_in_threadpool(self._access.issue_ticket)
        url = f"{request.url.scheme}://{request.url.netloc}/open?ticket={ticket}"
        return JSONResponse({"url": url})

    async def open(self, request: Request) -> Response:
        """Follow such a link."""
        token = await run_in_threadpool(
            self._access.redeem, request.query_params.get("ticket", ""), session_token(request)
        )
        return _logged_in(request, token, RedirectResponse("/", 303))

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

    async def _stream(self, request: Request) -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        revision, rounds = self._access.sessions.revision, 0
        async with aclosing(self._feed.stream()) as pieces:
            async for piece in pieces:
                if piece is not None:
                    yield piece
                    continue
                rounds += 1
                if rounds % _STILL_THERE_ROUNDS == 0:
                    yield b":\n\n"
                newest = self._access.sessions.revision
                if newest != revision or rounds % _ASK_AGAIN_ROUNDS == 0:
                    revision = newest
                    if not await run_in_threadpool(self._welcome, request):
                        return

    def _welcome(self, request: Request) -> bool:
        return self._access.role(session_token(request), bearer_token(request)) != "nobody"
