import gzip
import socket
import ssl
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from flexedge import __version__
from flexedge.cloud.transport import Answer, How, Request, Transport, origin
from flexedge.errors import CentreAway
from tests.cloud import certificates
from tests.cloud.faulty import Faulty, Step, answer, drips, resets, says, waits

SOON = How(connect_s=5, total_s=0.5)
GET = Request("GET", "/api/", {"Authorization": "secret-token"})
POST = Request("POST", "/api/x", {"Content-Type": "application/json"}, b'{"a": 1}')
GOOD = answer(200, {"good": True})


@contextmanager
def transport(url: str, how: How | None = None) -> Iterator[Transport]:
    with closing(Transport("main", url, how or How())) as made:
        yield made


def ask(url: str, request: Request = GET, how: How | None = None) -> Answer:
    with transport(url, how) as made:
        return made.ask(request)


def away(url: str, request: Request = GET, how: How | None = None) -> CentreAway:
    with pytest.raises(CentreAway) as caught:
        ask(url, request, how)
    assert "secret" not in str(caught.value)
    assert caught.value.centre == "main"
    return caught.value


def test_a_request_says_who_we_are_and_nothing_of_the_machine() -> None:
    with Faulty([says(GOOD)]) as server:
        found = ask(server.url, POST)
    assert (found.status, found.content) == (200, b'{"good": true}')
    assert found.headers["flexmeasures-version"] == "1.0.1"
    (got,) = server.got
    assert (got.method, got.path, got.body) == ("POST", "/api/x", b'{"a": 1}')
    assert got.headers == {
        "host": f"localhost:{server.port}", "accept": "application/json",
        "accept-encoding": "gzip", "user-agent": f"flexedge/{__version__}",
        "content-type": "application/json", "content-length": "8",
    }  # fmt: skip


@pytest.mark.parametrize("status", [200, 204, 400, 401, 404, 429, 500, 503])
def test_every_status_is_an_answer(status: int) -> None:
    with Faulty([says(answer(status, b"", {"Retry-After": "7"}))]) as server:
        found = ask(server.url)
    assert (found.status, found.headers["retry-after"]) == (status, "7")


def test_an_answer_that_is_cut_off_anywhere_is_no_whole_answer() -> None:
    steps = [resets(GOOD[:n]) for n in range(len(GOOD))]
    with Faulty(steps) as server, transport(server.url) as made:
        for n in range(len(GOOD)):
            with pytest.raises(CentreAway) as caught:
                made.ask(GET)
            assert caught.value.kind == "reset", n
    assert len(server.got) == len(GOOD)


def test_an_answer_that_ends_anywhere_is_no_whole_answer() -> None:
    end_of_head = GOOD.index(b"\r\n\r\n")
    steps = [says(GOOD[:n], then_close=True) for n in range(len(GOOD))]
    with Faulty(steps) as server, transport(server.url) as made:
        for n in range(len(GOOD)):
            try:
                found = made.ask(GET)
            except CentreAway as error:
                kind = error.kind
                assert kind in ("reset", "garbled"), n
            else:  # a head without its end passes as one without a length: nothing is in it
                assert n <= end_of_head, n
                assert found.content == b"", n


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", GOOD[:-1],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    ],
)  # fmt: skip
def test_a_server_that_falls_silent_is_given_up(raw: bytes) -> None:
    with Faulty([waits(raw)]) as server:
        assert away(server.url, how=SOON).kind == "timeout"


@pytest.mark.parametrize("slow", [GOOD, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200])
def test_a_server_that_drips_is_given_up(slow: bytes) -> None:
    with Faulty([drips(slow, 0.02)]) as server:
        assert away(server.url, how=SOON).kind == "timeout"


def test_a_server_that_reads_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://localhost:{deaf.getsockname()[1]}"
        much = Request("POST", "/api/", {}, b"x" * 20_000_000)
        assert away(url, much, SOON).kind == "timeout"


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 99 Low\r\n\r\n", b"\0" * 100, b"HTTP/9 x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
)  # fmt: skip
def test_what_is_no_http_is_garbled(raw: bytes) -> None:
    with Faulty([says(raw, then_close=True)]) as server:
        assert away(server.url).kind == "garbled"


@pytest.mark.parametrize("kind", ["length", "chunks", "endless"])
def test_an_answer_is_read_no_further_than_allowed(kind: str) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    raw = {
        "length": answer(200, b"x" * 6_000_000),
        "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 100,
        "endless": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 6_000_000,
    }[kind]
    with Faulty([says(raw)]) as server, transport(server.url) as made:
        with pytest.raises(CentreAway) as caught:
            made.ask(GET)
        assert caught.value.kind == "large"
        assert made.received < 5_200_000


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    assert len(bomb) < 300_000
    with Faulty([says(answer(200, bomb, {"Content-Encoding": "gzip"}))]) as server:
        assert away(server.url).kind == "large"


def test_packed_answers_are_understood() -> None:
    packed = gzip.compress(b'{"good": true}' * 1000)
    with Faulty([says(answer(200, packed, {"Content-Encoding": "GZIP"}))]) as server:
        assert ask(server.url).content == b'{"good": true}' * 1000
    with Faulty([says(answer(200, packed[:-9], {"Content-Encoding": "gzip"}))]) as server:
        assert away(server.url).kind == "garbled"
    raw = zlib.compress(b"{}")
    with Faulty([says(answer(200, raw, {"Content-Encoding": "deflate"}))]) as server:
        assert away(server.url).kind == "garbled"


def test_connections_are_used_again() -> None:
    with Faulty([says(GOOD)]) as server, transport(server.url) as made:
        for _ in range(3):
            made.ask(GET)
    assert server.connections == 1


def test_what_follows_an_answer_is_not_taken_for_the_next_one() -> None:
    lie = answer(200, b'{"good": true}and more', {"Content-Length": "14"})
    second = answer(200, {"second": True})
    with Faulty([says(lie + GOOD), says(second)]) as server, transport(server.url) as made:
        assert made.ask(GET).content == b'{"good": true}'
        assert made.ask(GET).content == b'{"second": true}'


def test_a_dead_connection_is_replaced_without_ado() -> None:
    with Faulty([says(GOOD), resets(), says(GOOD)]) as server, transport(server.url) as made:
        made.ask(GET)
        assert made.ask(GET).content == b'{"good": true}'
    assert [got.connection for got in server.got] == [1, 1, 2]


def test_a_connection_that_was_closed_is_replaced() -> None:
    with Faulty([says(GOOD, then_close=True), says(GOOD)]) as server:
        with transport(server.url) as made:
            made.ask(GET)
            made.ask(GET)
    assert [got.connection for got in server.got] == [1, 2]


def test_a_request_is_not_made_again_that_must_come_once() -> None:
    once = Request("POST", "/api/", {}, b"{}", twice=False)
    with Faulty([says(GOOD), resets(), says(GOOD)]) as server, transport(server.url) as made:
        made.ask(GET)
        with pytest.raises(CentreAway):
            made.ask(once)
    assert len(server.got) == 2


def test_a_request_is_not_made_again_whose_answer_began() -> None:
    with Faulty([says(GOOD), resets(GOOD[:30]), says(GOOD)]) as server:
        with transport(server.url) as made:
            made.ask(GET)
            with pytest.raises(CentreAway) as caught:
                made.ask(GET)
    assert caught.value.kind == "reset"
    assert len(server.got) == 2


def test_a_connection_that_was_idle_for_long_is_not_used_again() -> None:
    with Faulty([says(GOOD)]) as server, transport(server.url) as made:
        made.ask(GET)
        made._used -= 21
        made.ask(GET)
    assert server.connections == 2


def test_cookies_are_not_kept() -> None:
    with Faulty([says(answer(200, {}, {"Set-Cookie": "session=1; Path=/"}))]) as server:
        with transport(server.url) as made:
            made.ask(GET)
            made.ask(GET)
    assert "cookie" not in server.got[1].headers


def test_a_closed_port_and_an_unknown_name_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    assert away(url).kind == "connect"
    found = away("http://nowhere.invalid")
    assert found.kind == "dns"
    assert "nowhere.invalid" in found.message
    assert away(f"http://{'x' * 70}.example.com").kind == "dns"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_another_host_gets_no_token(status: int) -> None:
    with Faulty([says(GOOD)]) as other:
        for target in (
            f"http://127.0.0.1:{other.port}/login?x=y", f"//127.0.0.1:{other.port}",
            f"http://user:password@localhost:{other.port}/",
        ):  # fmt: skip
            with Faulty([says(answer(status, b"", {"Location": target}))]) as server:
                found = away(server.url)
            assert found.kind == "redirect"
            assert str(other.port) in found.message
            assert "password" not in found.message
    assert other.got == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_another_name_of_the_same_host_is_another_host(scheme: str) -> None:
    steps: list[Step] = []
    with Faulty(steps) as server:
        target = f"{scheme}://127.0.0.1:{server.port}/api/"
        steps.append(says(answer(302, b"", {"Location": target})))
        assert away(server.url).kind == "redirect"
    assert len(server.got) == 1


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(302, "POST", b'{"a": 1}'), (308, "POST", b'{"a": 1}'), (303, "GET", b"")],
)
def test_a_redirect_on_the_same_host_is_followed_once(
    status: int, method: str, body: bytes
) -> None:
    there = answer(status, b"", {"Location": "/elsewhere"})
    with Faulty([says(there), says(GOOD)]) as server:
        assert ask(server.url, POST).status == 200
    assert [(got.method, got.path, got.body) for got in server.got] == [
        ("POST", "/api/x", b'{"a": 1}'), (method, "/elsewhere", body)
    ]  # fmt: skip
    with Faulty([says(there)]) as server:
        assert away(server.url).kind == "redirect"
    assert len(server.got) == 2


@pytest.mark.parametrize("place", ["", "/api/", "http://[", "ftp://localhost/", "http://"])
def test_a_redirect_to_nowhere_is_told(place: str) -> None:
    with Faulty([says(answer(302, b"", {"Location": place}))]) as server:
        assert away(server.url).kind == "redirect"


def test_http_may_become_https_but_not_the_other_way_round(tmp_path: Path) -> None:
    how = How(ca_file=certificates.authority(tmp_path))
    with Faulty([says(GOOD)], certificates.server(tmp_path)) as secure:
        upward = answer(301, b"", {"Location": f"{secure.url}/api/x"})
        with Faulty([says(upward)]) as plain:
            assert ask(plain.url, POST, how).content == b'{"good": true}'
        assert secure.got[0].body == b'{"a": 1}'
    with Faulty([says(GOOD)]) as plain:
        downward = answer(301, b"", {"Location": f"{plain.url}/api/x"})
        with Faulty([says(downward)], certificates.server(tmp_path)) as secure:
            assert away(secure.url, POST, how).kind == "redirect"
        assert plain.got == []


def test_a_proxy_is_used_only_if_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with Faulty([says(GOOD)]) as proxy, Faulty([says(GOOD)]) as server:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        ask(server.url)
        assert (len(server.got), len(proxy.got)) == (1, 0)
        ask("http://ems.invalid", how=How(proxy=proxy.url))
    assert (len(server.got), len(proxy.got)) == (1, 1)
    assert proxy.got[0].path == "http://ems.invalid/api/"


def test_a_proxy_is_tunnelled_through_and_not_shown_the_token() -> None:
    with Faulty([says(answer(407, b""), then_close=True)]) as proxy:
        found = away("https://ems.invalid", how=How(proxy=proxy.url))
    assert found.kind == "connect"
    assert "proxy" in found.message
    assert [(got.method, got.path) for got in proxy.got] == [("CONNECT", "ems.invalid:443")]
    assert "authorization" not in proxy.got[0].headers


def test_passwords_on_the_disk_are_not_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine localhost login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with Faulty([says(GOOD)]) as server:
        ask(server.url, POST)
    assert "authorization" not in server.got[0].headers


def test_a_trusted_certificate_is_trusted(tmp_path: Path) -> None:
    how = How(ca_file=certificates.authority(tmp_path))
    with Faulty([says(GOOD)], certificates.server(tmp_path)) as server:
        with transport(server.url, how) as made:
            assert made.ask(GET).content == b'{"good": true}'
            made.ask(POST)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("what", "clock", "kind", "word"),
    [
        ("expired", "known", "tls", "expired"), ("expired", "unknown", "clock", "expired"),
        ("early", "known", "clock", "not valid yet"),
        ("early", "unknown", "clock", "not valid yet"),
        ("elsewhere", "known", "tls", "another name"),
        ("elsewhere", "unknown", "tls", "another name"),
        ("self-signed", "known", "tls", "self-signed"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_certificate_is_told(
    tmp_path: Path, what: str, clock: str, kind: str, word: str
) -> None:
    how = How(certificates.authority(tmp_path), clock_known=lambda: clock == "known")
    with Faulty([says(GOOD)], certificates.server(tmp_path, what)) as server:
        found = away(server.url, how=how)
    assert found.kind == kind
    assert word in found.message
    assert server.got == []


def test_an_unknown_authority_is_not_trusted(tmp_path: Path) -> None:
    with Faulty([says(GOOD)], certificates.server(tmp_path)) as server:
        found = away(server.url)
    assert found.kind == "tls"
    assert "unknown authority" in found.message
    assert server.got == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_not_spoken(tmp_path: Path) -> None:
    how = How(ca_file=certificates.authority(tmp_path))
    with Faulty([says(GOOD)], certificates.old(certificates.server(tmp_path))) as server:
        found = away(server.url, how=how)
    assert found.kind == "tls"
    assert "TLS from 1.2 on" in found.message


def test_what_does_not_speak_tls_is_told() -> None:
    with Faulty([says(GOOD)]) as server:
        found = away(server.url.replace("http:", "https:"))
    assert found.kind == "tls"
    assert "http://" in found.message


def test_a_handshake_that_hangs_or_is_cut_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        assert away(f"https://localhost:{deaf.getsockname()[1]}", how=SOON).kind == "timeout"
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # has no certificate to show
    with Faulty([], bare) as server:
        assert away(server.url).kind in ("reset", "tls")


@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_a_ca_file_that_is_none_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    found = away("https://localhost:1", how=How(ca_file=path))
    assert found.kind == "tls"
    assert str(path) in found.message


def test_only_the_origin_of_an_address_is_told() -> None:
    assert origin("https://a:b@ems.example.com:8443/x?y#z") == "https://ems.example.com:8443"
