from __future__ import annotations

import http.client
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from starlette.routing import Mount, Route

from flexedge.web.api.serve import SUNSET, Place
from flexedge.web.app import STATIC_PATH, build

if TYPE_CHECKING:
    from flexedge.web.api.parts import Parts
    from flexedge.web.auth import Access
    from flexedge.web.routes import Rule
    from tests.web.conftest import Site, World

# What each kind of visitor gets: let in, or turned away as unknown (401) or not allowed (403).
WELCOME = 0
EXPECTED = {
    "public": {"nobody": WELCOME, "owner": WELCOME, "local": WELCOME},
    "somebody": {"nobody": 401, "owner": WELCOME, "local": WELCOME},
    "viewer": {"nobody": 401, "owner": WELCOME, "local": WELCOME},
    "local": {"nobody": 401, "owner": 403, "local": WELCOME},
}


def rules(site: Site) -> list[Rule]:
    return list(site.server._app.state.rules)


def test_every_route_has_a_policy(site: Site) -> None:
    table = {(rule.method, rule.path) for rule in rules(site)}
    for route in site.server._app.routes:
        if isinstance(route, Mount):
            assert route.path == STATIC_PATH
            continue
        assert isinstance(route, Route)
        if isinstance(route.endpoint, Place):
            continue
        if route.path.startswith(tuple(f"/api/{old}" for old in SUNSET)):
            continue
        methods = (route.methods or set()) - {"HEAD"}
        assert methods
        assert {(method, route.path) for method in methods} <= table
    assert {rule.policy for rule in rules(site)} <= EXPECTED.keys()


def test_every_operation_has_its_place(site: Site) -> None:
    places = [
        route.path
        for route in site.server._app.routes
        if isinstance(route, Route) and isinstance(route.endpoint, Place)
    ]
    operations = [op.path for op in site.server._app.state.operations]
    assert sorted(places) == sorted(set(operations))
    assert len(operations) == len(
        {(op.method, op.path) for op in site.server._app.state.operations}
    )


@pytest.mark.parametrize("visitor", ["nobody", "owner", "local"])
def test_every_route_keeps_its_policy(site: Site, visitor: str) -> None:
    make = {"nobody": site.browser, "owner": site.owner, "local": site.program}[visitor]
    for rule in rules(site):
        session = make()  # a fresh one: /api/logout is among the routes
        with session.request(
            rule.method,
            site.url + rule.path,
            json={} if rule.method == "POST" else None,
            stream=True,
            allow_redirects=False,
            timeout=5,
        ) as answer:
            expected = EXPECTED[rule.policy][visitor]
            if expected == WELCOME:
                assert answer.status_code not in (403, 404, 405, 500), rule
                open_door = rule.path == "/open"  # its own 401 is about the ticket
                assert answer.status_code != 401 or open_door, rule
            else:
                assert answer.status_code == expected, rule


def test_nothing_of_the_site_is_shown_to_strangers(site: Site) -> None:
    shown = [
        site.browser().get(site.url + rule.path, timeout=5).text
        for rule in rules(site)
        if rule.method == "GET"
    ]
    text = " ".join(shown)
    for secret in ("Canal house", "battery", "inverter", "Amsterdam", "0.135"):
        assert secret not in text


def test_unknown_paths_and_methods(site: Site) -> None:
    assert site.owner().get(f"{site.url}/api/none").status_code == 404
    answer = site.owner().post(f"{site.url}/api/status", json={})
    assert (answer.status_code, answer.json()) == (405, {"message": "Method Not Allowed."})
    answer = site.owner().get(f"{site.url}/api/v3_0/none")
    assert (answer.status_code, answer.json()["status"]) == (404, "NOT_FOUND")
    assert answer.headers["FlexMeasures-Version"] == "1.0.1"


def test_only_static_files_are_served(site: Site) -> None:
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=5)
    for path in (
        "/static/../auth.py", "/static/%2e%2e/auth.py", "/static/..%2fauth.py", "/static/%00",
     "/static//etc/passwd", "/static/....//auth.py", "/static/"
    ):  # fmt: skip
        connection.request("GET", path)  # as it is: requests would tidy the path up
        answer = connection.getresponse()
        assert answer.status in (400, 404), path
        assert b"argon2" not in answer.read()
    connection.close()


def test_a_programming_slip_in_the_table_would_be_found(access: Access, parts: Parts) -> None:
    class Nothing:
        """A window that must not be asked while building."""

    app = build(Nothing(), access, parts)  # type: ignore[arg-type] # building asks nothing of it
    places = {op.path for op in app.state.operations}
    assert len(app.routes) == len(app.state.rules) + len(places) + 2 * len(SUNSET) + 1


def test_the_window_is_not_asked_before_somebody_looks(site: Site) -> None:
    world: World = site.world
    site.browser().get(site.url)
    assert world.calls == {"status": 0, "chart": 0}
