"""A route and who may use it; the policy is kept where the route is called."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flexedge.domain.rights import Caller, may
from flexedge.errors import RequestError
from flexedge.web.auth import Access
from flexedge.web.guard import same_origin

Policy = Literal["public", "somebody", "viewer", "local"]
"""Everybody; who is logged in; who may read what the gateway does; programs on the machine."""
Method = Literal["GET", "POST"]
Endpoint = Callable[[Request], Awaitable[Response]]
_WHO: dict[Policy, str] = {
    "viewer": "This gateway belongs to an account that you have no part in.",
    "local": "Only programs on the gateway itself may do this.",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table of routes."""

    method: Method
    path: str
    policy: Policy
    endpoint: Endpoint


def cookie_name(request: Request) -> str:
    """The session cookie's name: cookies do not know ports, two gateways on one host do."""
    server = request.scope.get("server") or ("", None)
    return f"flexedge-{server[1]}"


def session_token(request: Request) -> str | None:
    """The session token that came with the request."""
    return request.cookies.get(cookie_name(request))


def authorization(request: Request) -> str | None:
    """The ``Authorization`` header that came with the request."""
    return request.headers.get("authorization")


def allowed(policy: Policy, caller: Caller, access: Access) -> bool:
    """Whether a policy lets a caller in."""
    match policy:
        case "public":
            return True
        case "somebody":
            return caller.known
        case "viewer":
            return "read" in caller.scopes and may(caller, "read", access.gateway)
        case "local":
            return caller.kind == "local"


def as_route(rule: Rule, access: Access) -> Route:
    """The rule as a route that lets in whom its policy allows.

    Everybody else gets 401 (unknown) or 403 (known, but not allowed). What changes things must
    come from our own page as JSON, or from a program with a token.
    """

    def look(request: Request) -> tuple[Caller, bool]:
        caller = access.caller(authorization(request), session_token(request))
        return caller, allowed(rule.policy, caller, access)

    async def endpoint(request: Request) -> Response:
        caller, welcome = await run_in_threadpool(look, request)
        _refuse(rule, caller, request, welcome=welcome)
        request.state.role = caller.kind
        request.state.caller = caller
        return await rule.endpoint(request)

    return Route(rule.path, endpoint, methods=[rule.method], name=f"{rule.method} {rule.path}")


def _refuse(rule: Rule, caller: Caller, request: Request, *, welcome: bool) -> None:
    if not welcome:
        if not caller.known:
            raise RequestError(401, "Log in first.")
        raise RequestError(403, _WHO[rule.policy])
    if rule.method == "GET":
        return
    programs = caller.kind == "local" or caller.token_id is not None
    if not programs and not same_origin(request.headers):
        raise RequestError(403, "This request did not come from the gateway's own page.")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise RequestError(415, "Send JSON with the content type application/json.")
