"""The application: the table of all routes, and what is wrapped around them."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from flexedge.errors import RequestError
from flexedge.gateway.view import Window
from flexedge.web.answers import http_error, request_error
from flexedge.web.api.parts import Parts
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
    rules = entrance(Own(access), Pages(access))
    feed = None if window is None else Feed(window)
    if window is not None and feed is not None:
        rules += of_site(Seen(window, access, feed))
    app = Starlette(
        routes=[
            *(as_route(rule, access) for rule in rules),
            Mount(STATIC_PATH, StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=[Middleware(Guard, names=access.names)],
        exception_handlers={RequestError: request_error, HTTPException: http_error},
    )
    app.state.rules = rules
    app.state.parts = parts
    app.state.hang_up = (lambda: None) if feed is None else feed.close
    return app
