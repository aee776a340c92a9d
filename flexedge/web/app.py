"""The application: the table of all routes, and what is wrapped around them."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from flexedge.errors import RequestError
from flexedge.gateway.view import Window
from flexedge.web.answers import http_error, request_error
from flexedge.web.api.limits import Limits
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
        Rule("GET", "/centres", "public", pages.centres),
        Rule("GET", "/open", "public", own.open),
        Rule("GET", "/health", "public", own.health),
        Rule("GET", "/api/session", "public", own.session),
        Rule("POST", "/api/claim", "public", own.claim),
        Rule("POST", "/api/login", "public", own.login),
        Rule("POST", "/api/logout", "somebody", own.logout),
        Rule("POST", "/api/password", "somebody", own.password),
        Rule("POST", "/api/tickets", "local", own.ticket),
    )


def of_site(seen: Seen) -> tuple[Rule, ...]:
    """The routes of the page that show the site, and who may use them."""
    return (
        Rule("GET", "/api/status", "viewer", seen.status),
        Rule("GET", "/api/devices", "viewer", seen.devices),
        Rule("GET", "/api/chart", "viewer", seen.chart),
        Rule("GET", "/api/beliefs", "viewer", seen.beliefs),
        Rule("GET", "/api/totals", "viewer", seen.totals),
        Rule("GET", "/api/events", "viewer", seen.events),
    )


def build(window: Window | None, access: Access, parts: Parts) -> Starlette:
    """The web application; ``window`` None: there is no site.

    ``app.state.hang_up()``, in its event loop, ends all open streams.
    """
    feed = None if window is None else Feed(window)
    parts = replace(parts, feed=feed)
    ops = operations(parts, access)
    rules = entrance(Own(access), Pages(access))
    if window is not None and feed is not None:
        rules += of_site(Seen(window, access, feed))
    app = Starlette(
        routes=[
            *(as_route(rule, access) for rule in rules),
            *routes(ops, Gate(parts, access, Limits(parts.state, parts.settings.web))),
            Mount(STATIC_PATH, StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=[Middleware(Guard, names=access.names, measured=carrying(ops))],
        exception_handlers={RequestError: request_error, HTTPException: not_routed},
    )
    app.state.rules = rules
    app.state.operations = ops
    app.state.parts = parts
    app.state.hang_up = partial(_hang_up, feed, parts)
    return app


def _hang_up(feed: Feed | None, parts: Parts) -> None:
    parts.reel.close()
    if feed is not None:
        feed.close()


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
