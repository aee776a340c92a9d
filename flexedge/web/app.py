"""The application: the table of all routes, and what is wrapped around them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from flexedge.domain.rights import NOBODY, Caller
from flexedge.errors import RequestError
from flexedge.gateway.view import Window
from flexedge.web.answers import http_error, request_error
from flexedge.web.api.op import Op
from flexedge.web.api.parts import Parts
from flexedge.web.api.problems import problem
from flexedge.web.api.serve import Gate, routes, versioned
from flexedge.web.api.table import operations
from flexedge.web.auth import Access
from flexedge.web.feed import Feed
from flexedge.web.guard import Guard
from flexedge.web.own import Own
from flexedge.web.pages import STATIC, Pages
from flexedge.web.routes import Rule, as_route
from flexedge.web.seen import Seen

STATIC_PATH = "/static"
"""Public: the same files in every installation."""


def entrance(own: Own, pages: Pages) -> tuple[Rule, ...]:
    """The routes of the page that are there with and without a site, and who may use them."""
    return (
        Rule("GET", "/", "public", pages.home),
        Rule("GET", "/claim", "public", pages.claim),
        Rule("GET", "/open", "public", own.open),
        Rule("GET", "/health", "public", own.health),
        Rule("GET", "/api/session", "public", own.session),
        Rule("POST", "/api/claim", "public", own.claim),
        Rule("POST", "/api/login", "public", own.login),
        Rule("POST", "/api/logout", "owner", own.logout),
        Rule("POST", "/api/password", "owner", own.password),
        Rule("POST", "/api/tickets", "local", own.ticket),
    )


def of_site(seen: Seen) -> tuple[Rule, ...]:
    """The routes of the page that show the site, and who may use them."""
    return (
        Rule("GET", "/api/status", "owner", seen.status),
        Rule("GET", "/api/devices", "owner", seen.devices),
        Rule("GET", "/api/chart", "owner", seen.chart),
        Rule("GET", "/api/beliefs", "owner", seen.beliefs),
        Rule("GET", "/api/totals", "owner", seen.totals),
        Rule("GET", "/api/events", "owner", seen.events),
    )


def build(window: Window | None, access: Access, parts: Parts) -> Starlette:
    """The web application; ``window`` None: there is no site.

    ``app.state.hang_up()``, in its event loop, ends all open streams.
    """
    feed = None if window is None else Feed(window)
    parts = replace(parts, feed=feed)
    ops = operations(parts)
    rules = entrance(Own(access), Pages(access))
    if window is not None and feed is not None:
        rules += of_site(Seen(window, access, feed))
    app = Starlette(
        routes=[
            *(as_route(rule, access) for rule in rules),
            *routes(ops, Gate(parts, _Owner(access), _Unlimited())),
            Mount(STATIC_PATH, StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=[Middleware(Guard, names=access.names, measured=carrying(ops))],
        exception_handlers={RequestError: request_error, HTTPException: not_routed},
    )
    app.state.rules = rules
    app.state.operations = ops
    app.state.parts = parts
    app.state.hang_up = (lambda: None) if feed is None else feed.close
    return app


def carrying(ops: Iterable[Op]) -> frozenset[str]:
    """The beginnings of the paths whose operations measure bodies themselves."""
    return frozenset(
        op.path.partition("{")[0] for op in ops if op.body is not None or op.body_is == "files"
    )


async def not_routed(request: Request, error: Exception) -> Response:
    """The answer where routing found nothing: in the API in its own shape."""
    path = request.url.path
    if isinstance(error, HTTPException) and path.startswith(("/api/v3_0", "/api/ops", "/api/dev")):
        return versioned(problem(error.status_code, f"There is no {path} here."), path)
    return await http_error(request, error)


class _Owner:
    """Knows the owner and the programs on this machine only."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def caller(self, authorization: str | None, session: str | None) -> Caller:
        """Who shows this token or this session."""
        token = None if authorization is None else authorization.removeprefix("Bearer").strip()
        role = self._access.role(session, token)
        return NOBODY if role == "nobody" else Caller(role, name=role)


class _Unlimited:
    """Counts nothing."""

    def count(self, caller: Caller, address: str, now: datetime) -> None:
        """Let it be."""

    def check_trigger(self, caller: Caller, asset_id: int | None, now: datetime) -> None:
        """Let it be."""

    def count_trigger(self, caller: Caller, asset_id: int | None, now: datetime) -> None:
        """Let it be."""
