"""A route and who may use it; the policy is kept where the route is called."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flexedge.errors import RequestError
from flexedge.web.auth import Access, Role
from flexedge.web.guard import same_origin

Policy = Literal["public", "owner", "local"]
Method = Literal["GET", "POST"]
Endpoint = Callable[[Request], Awaitable[Response]]
ALLOWED: dict[Policy, frozenset[Role]] = {
    "public": frozenset({"nobody", "owner", "local"}),
    "owner": frozenset({"owner", "local"}),
    "local": frozenset({"local"}),
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


def bearer_token(request: Request) -> str | None:
    """The local token that came with the request."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def as_route(rule: Rule, access: Access) -> Route:
    """The rule as a route that lets in whom its policy allows.

    Everybody else gets 401 (unknown) or 403 (known, but not allowed). What changes things must
    come from our own page as JSON, or from a program with the local token.
    """

    async def endpoint(request: Request) -> Response:
        role = await run_in_threadpool(access.role, session_token(request), bearer_token(request))
        _refuse(rule, role, request)
        request.state.role = role
        return await rule.endpoint(request)

    return Route(rule.path, endpoint, methods=[rule.method], name=f"{rule.method} {rule.path}")


def _refuse(rule: Rule, role: Role, request: Request) -> None:
    if role not in ALLOWED[rule.policy]:
        if role == "nobody":
            raise RequestError(401, "Log in first.")
        raise RequestError(403, "Only programs on the gateway itself may do this.")
    if rule.method == "GET":
        return
    if role != "local" and not same_origin(request.headers):
        raise RequestError(403, "This request did not come from the gateway's own page.")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise RequestError(415, "Send JSON with the content type application/json.")
