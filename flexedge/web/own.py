"""Owning the gateway and logging in to its page: one handler per route."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from flexedge.domain.rights import Caller
from flexedge.errors import RequestError
from flexedge.web.auth import Access
from flexedge.web.routes import cookie_name, session_token
from flexedge.web.sessions import ABSOLUTE
from flexedge.web.turnstile import Turnstile


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Claim(_Body):
    """Who becomes the owner."""

    code: str
    password: str


class Login(_Body):
    """Who says to be a user or, without e-mail address, the owner."""

    email: str | None = None
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


def _who(caller: Caller) -> dict[str, Any]:
    """Who somebody is, as the page is told."""
    user = {"id": caller.user_id, "name": caller.name, "roles": sorted(caller.roles)}
    return {
        "owner": caller.kind in ("owner", "local"),
        "user": user | {"account_id": caller.account_id} if caller.kind == "user" else None,
    }


class Own:
    """The handlers. Policies are in the table of ``app``, not here."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._turnstile = Turnstile()

    async def health(self, _request: Request) -> Response:
        """Whether the web server answers: says nothing about the site."""
        return JSONResponse({"status": "ok"})

    async def session(self, request: Request) -> Response:
        """Whether there is an owner, and who you are."""
        claimed = await run_in_threadpool(lambda: self._access.claimed)
        caller: Caller = request.state.caller
        return JSONResponse({"claimed": claimed} | _who(caller))

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
            self._access.login,
            body.password,
            _address(request),
            session_token(request),
            body.email,
        )
        caller = await run_in_threadpool(self._access.caller, None, token)
        return _logged_in(request, token, JSONResponse(_who(caller)))

    async def logout(self, request: Request) -> Response:
        """End this session."""
        token = session_token(request)
        if token is not None:
            await run_in_threadpool(self._access.sessions.close, token)
        response = JSONResponse({"owner": False})
        response.delete_cookie(cookie_name(request), path="/", httponly=True, samesite="strict")
        return response

    async def password(self, request: Request) -> Response:
        """Change one's password; every other session ends."""
        body = await _body(request, NewPassword)
        if body.old is None and request.state.role != "local":
            raise RequestError(422, "Not understood: old.")
        caller: Caller = request.state.caller
        token = await self._turnstile.run(
            self._change_password, caller, body.old, body.new, _address(request)
        )
        return _logged_in(request, token, JSONResponse(_who(caller)))

    def _change_password(self, caller: Caller, old: str | None, new: str, address: str) -> str:
        if caller.user_id is not None:
            return self._access.change_users_password(caller.user_id, old or "", new, address)
        return self._access.change_password(None if caller.kind == "local" else old, new, address)

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
