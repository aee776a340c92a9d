from __future__ import annotations

import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette

from flexedge.errors import FlexedgeError, WebUnavailable
from flexedge.web.server import Server

if TYPE_CHECKING:
    from tests.web.conftest import Site


def empty() -> Starlette:
    app = Starlette()
    app.state.hang_up = lambda: None
    return app


def test_the_real_port_is_known_after_the_start(site: Site) -> None:
    port = urlsplit(site.url).port
    assert port
    assert site.browser().get(f"{site.url}/health").json() == {"status": "ok"}


def test_a_taken_port_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Server(empty(), "127.0.0.1", port)
        with pytest.raises(WebUnavailable, match=rf"127\.0\.0\.1:{port}.*in use") as caught:
            server.start()
    assert isinstance(caught.value, FlexedgeError)


def test_an_address_that_is_not_ours_is_a_clear_error() -> None:
    with pytest.raises(WebUnavailable, match=r"192\.0\.2\.1"):
        Server(empty(), "192.0.2.1", 0).start()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104 - nothing is bound here
        ("::", "http://[::1]:8080"),
        ("pi.local", "http://pi.local:8080"),
    ],
)
def test_the_url_is_one_that_can_be_opened_here(host: str, url: str) -> None:
    assert Server(empty(), host, 8080).url == url


def test_stop_ends_open_streams_and_stalled_readers_at_once(site: Site) -> None:
    streams = [site.owner().get(f"{site.url}/api/events", stream=True, timeout=5) for _ in range(5)]
    first = [next(stream.iter_lines()) for stream in streams]
    half = socket.create_connection(("127.0.0.1", urlsplit(site.url).port or 0))
    half.sendall(b"GET / HTTP/1.1\r\nHost: ")  # and never the rest
    site.server.stop()
    for stream in streams:
        assert stream.raw.read() is not None  # ends instead of timing out
        stream.close()
    half.close()
    assert first == [b"retry: 2000"] * 5


def test_stop_before_serve_and_twice_is_fine() -> None:
    server = Server(empty(), "127.0.0.1", 0)
    server.start()
    server.stop()
    server.stop()
    server.serve()  # returns at once
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0))


def test_a_server_that_was_stopped_before_it_started_leaves_nothing_open() -> None:
    server = Server(empty(), "127.0.0.1", 0)
    server.stop()
    server.serve()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0))


def test_the_port_is_free_again_after_the_stop() -> None:
    server = Server(empty(), "127.0.0.1", 0)
    server.start()
    port = urlsplit(server.url).port or 0
    with ThreadPoolExecutor(1) as threads:
        served = threads.submit(server.serve)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/")
        assert connection.getresponse().status == 404
        server.stop()
        served.result(timeout=5)
    connection.close()
    again = Server(empty(), "127.0.0.1", port)
    again.start()
    again.stop()
