"""The application: the table of all routes, and what is wrapped around them."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from flexedge.errors import RequestError
from flexedge.gateway.view import Window
from flexedge.web.answers import http_error, request_error
from flexedge.web.own import Api
from flexedge.web.auth import Access
from flexedge.web.feed import Feed
from flexedge.web.guard import Guard
from flexedge.web.pages import STATIC, Pages
from flexedge.web.routes import Rule, as_route

STATIC_PATH = "/static"
"""Public: the same files in every installation."""


def table(api: Api, pages: Pages) -> tuple[Rule, ...]:
    """Every route there is, and who may use it."""
    return (
        Rule("GET", "/", "public", pages.home),
        Rule("GET", "/claim", "public", pages.claim),
        Rule("GET", "/open", "public", api.open),
        Rule("GET", "/health", "public", api.health),
        Rule("GET", "/api/session", "public", api.session),
        Rule("POST", "/api/claim", "public", api.claim),
        Rule("POST", "/api/login", "public", api.login),
        Rule("POST", "/api/logout", "owner", api.logout),
        Rule("POST", "/api/password", "owner", api.password),
        Rule("GET", "/api/status", "owner", api.status),
        Rule("GET", "/api/devices", "owner", api.devices),
        Rule("GET", "/api/chart", "owner", api.chart),
        Rule("GET", "/api/beliefs", "owner", api.beliefs),
        Rule("GET", "/api/totals", "owner", api.totals),
        Rule("GET", "/api/events", "owner", api.events),
        Rule("POST", "/api/tickets", "local", api.ticket),
    )


def build(window: Window, access: Access) -> Starlette:
    """The web application. ``app.state.hang_up()``, in its event loop, ends all open streams."""
    feed = Feed(window)
    rules = table(Api(window, access, feed), Pages(access))
    app = Starlette(
        routes=[
            *(as_route(rule, access) for rule in rules),
            Mount(STATIC_PATH, StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=[Middleware(Guard, names=access.names)],
        exception_handlers={RequestError: request_error, HTTPException: http_error},
    )
    app.state.rules = rules
    app.state.hang_up = feed.close
    return app
