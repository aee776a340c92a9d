from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from starlette.datastructures import Headers
from structlog.testing import capture_logs

from flexedge.web.app import carrying
from flexedge.web.guard import MOST_BODY_BYTES, host_allowed, same_origin

if TYPE_CHECKING:
    from tests.web.conftest import Site


@pytest.mark.parametrize(
    "host",
    [
        "192.168.1.7", "192.168.1.7:8080", "[fe80::1]:8080", "[::1]", "localhost:8080",
        "flexedge.local", "FlexEdge.Local.:8080", "pi.lan", "pi.home.arpa", "box.example:8080",
    ],
)  # fmt: skip
def test_names_of_this_machine_are_allowed(host: str) -> None:
    assert host_allowed(host, {"box.example"})


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:8080", "local", "192.168.1.7.evil.example",
             "notlocalhost", "box.example.evil.example", "[evil.example]", "flexedge.local@evil"],
)  # fmt: skip
def test_other_names_are_not(host: str) -> None:
    assert not host_allowed(host, {"box.example"})


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"origin": "http://pi.local:8080"}, True),
        ({"origin": "https://pi.local:8080", "sec-fetch-site": "same-origin"}, True),
        ({}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://pi.local:9090"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://pi.local:8080", "sec-fetch-site": "cross-site"}, False),
        ({"origin": "http://evil.example", "sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "none"}, False),
    ],
)
def test_what_comes_from_our_own_page(headers: dict[str, str], same: bool) -> None:  # noqa: FBT001 - a column of the table
    assert same_origin(Headers({"host": "pi.local:8080", **headers})) is same


def test_a_rebound_name_gets_nothing_not_even_health(site: Site) -> None:
    answer = site.browser().get(f"{site.url}/health", headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert "evil.example" in answer.json()["message"]


def test_every_answer_has_the_headers(site: Site) -> None:
    for path in ("/", "/health", "/api/status", "/static/flexedge.css", "/none"):
        check_headers(path, site.browser().get(site.url + path).headers)


def check_headers(path: str, headers: Mapping[str, str]) -> None:
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == ("no-cache" if path.startswith("/static") else "no-store")
    assert "server" not in headers


def test_large_bodies_are_refused_before_they_are_read(site: Site) -> None:
    large = {"password": "x" * MOST_BODY_BYTES}
    assert site.browser().post(f"{site.url}/api/login", json=large).status_code == 413


def test_bodies_that_do_not_say_how_large_they_are_end_at_the_limit(site: Site) -> None:
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=5)
    connection.request(
        "POST",
        "/api/login",
        body=iter([b"x" * 40_000, b"x" * 40_000]),
        headers={"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"},
        encode_chunked=True,
    )
    answer = connection.getresponse()
    assert answer.status == 413
    connection.close()


def test_what_breaks_is_logged_once_and_not_shown(site: Site) -> None:
    site.world.fault = RuntimeError("secret innards")
    with capture_logs() as logs:
        answer = site.owner().get(f"{site.url}/api/status")
    assert answer.status_code == 500
    assert "innards" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert [(log["event"], log["path"]) for log in logs] == [("web request failed", "/api/status")]


def test_bodies_under_some_paths_are_measured_further_inside(site: Site) -> None:
    body = b" " * (MOST_BODY_BYTES + 1)
    for path, status in (("/api/login", 413), ("/api/v3_0/sensors/1/data", 401)):
        answer = site.browser().post(site.url + path, data=body)
        assert answer.status_code == status, path


def test_only_what_carries_bodies_measures_them_itself(site: Site) -> None:
    ops = site.server._app.state.operations
    assert "/api/v3_0/sensors/" in carrying(ops)
    assert not any("/api/login".startswith(beginning) for beginning in carrying(ops))
