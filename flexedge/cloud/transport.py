"""One HTTP request to a central server, and its answer; the only place that knows requests.

Whatever the other side does, it ends by the deadline, with an answer of bounded size or with
``CentreAway``. The environment is not asked for proxies, certificates and passwords (.netrc): a
service's environment is nobody's statement about where the credential of a centre may go.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection

from flexedge import __version__
from flexedge.cloud import trust
from flexedge.cloud.bodies import TooLarge, Undecodable, unpacked
from flexedge.cloud.dial import PATIENCE, NoConnection, NoSuchName, Patience, dial
from flexedge.errors import Away, CentreAway

_IDLE_S: Final = 20.0
"""A connection that was not used for longer is closed: many servers and routers forget them."""
_PIECE: Final = 1 << 16
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_SEE_OTHER: Final = 303


@dataclass(frozen=True, slots=True)
class How:
    """What a connection is made with."""

    ca_file: Path | None = None
    """Authorities of the installer's own, beside the system's."""
    proxy: str = ""
    """"http://proxy.example.com:3128"; none if empty, whatever the environment says."""
    clock_known: Callable[[], bool] = lambda: True
    """Whether our clock is known to be right."""
    connect_s: float = 5.0
    total_s: float = 30.0
    largest: int = 5_000_000
    """Bytes of an answer, unpacked."""
    renew_after: timedelta = timedelta(hours=5)
    """Another token is got so long after the last one; FlexMeasures' last 6 hours."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. ``path``: from where the API starts, with the query."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    twice: bool = True
    """Whether it does no harm if the server gets it twice."""

    @property
    def size(self) -> int:
        """Bytes, about."""
        return len(self.path) + 300 + len(self.body or b"")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered."""

    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    content: bytes


class _PlainConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return dial(self._dns_host, self.port)


class _SecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return dial(self._dns_host, self.port or 443)


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: Final = {"http": _PlainPool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    """Connections of our own making, and our own idea of what is trusted."""

    def __init__(self, trusted: ssl.SSLContext) -> None:
        self._trusted = trusted
        super().__init__(pool_connections=2, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._trusted, **more)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        found = super().proxy_manager_for(proxy, ssl_context=self._trusted, **more)
        found.pool_classes_by_scheme = _POOLS
        return found

    def cert_verify(self, conn: Any, *_what: Any, **_more: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"


class Transport:
    """Requests to one server, one after the other. Not for several threads."""

    def __init__(self, name: str, url: str, how: How) -> None:
        self._name, self._url, self._how = name, url, how
        self._adapter: _Adapter | None = None
        self._used = 0.0
        self.received = 0
        """Bytes of answers since the start."""

    def ask(self, request: Request) -> Answer:
        """The answer, whatever its status. Raises ``CentreAway``.

        One redirect is followed, to the same host and port or from http to https.
        """
        url = self._url + request.path
        patience = Patience(time.monotonic() + self._how.total_s, self._how.connect_s)
        token = PATIENCE.set(patience)
        try:
            answer = self._persistent(request, url, patience)
            if answer.status not in _REDIRECTS:
                return answer
            request, url = self._redirected(request, url, answer)
            answer = self._persistent(request, url, patience)
            if answer.status in _REDIRECTS:
                raise self._away("redirect", "it redirects in a circle")
            return answer
        finally:
            PATIENCE.reset(token)

    def close(self) -> None:
        """Let go of connections."""
        if self._adapter is not None:
            self._adapter.close()

    def _persistent(self, request: Request, url: str, patience: Patience) -> Answer:
        """Once more on a new connection where an old one turns out to be dead."""
        if time.monotonic() - self._used > _IDLE_S:
            self.close()
        for last in (False, True):
            dialled, patience.heard = patience.dialled, 0
            try:
                return self._once(request, url)
            except CentreAway as error:
                self.close()
                if error.kind in ("tls", "clock"):
                    self._adapter = None  # somebody may have put another CA file there
                old = dialled == patience.dialled
                if last or error.kind != "reset" or not (old and request.twice) or patience.heard:
                    raise
            finally:
                self._used = time.monotonic()
        raise AssertionError

    def _once(self, request: Request, url: str) -> Answer:
        headers = {
            "Accept": "application/json", "Accept-Encoding": "gzip",
            "User-Agent": f"flexedge/{__version__}", **request.headers,
        }  # fmt: skip
        proxies = {"http": self._how.proxy, "https": self._how.proxy} if self._how.proxy else {}
        try:
            prepared = requests.Request(request.method, url, headers, data=request.body).prepare()
            with closing(
                self._connected().send(
                    prepared, stream=True, timeout=self._how.total_s, proxies=proxies
                )
            ) as response:
                content = self._content(response)
        except (TooLarge, Undecodable) as error:
            kind: Away = "large" if isinstance(error, TooLarge) else "garbled"
            raise self._away(kind, str(error)) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._away(*sorted_out(error, clock_known=self._how.clock_known())) from error
        told = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, told, content)

    def _content(self, response: requests.Response) -> bytes:
        pieces = response.raw.stream(_PIECE, decode_content=False)
        encoding = response.headers.get("content-encoding", "")
        return b"".join(unpacked(self._counted(pieces), encoding, self._how.largest))

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.received += len(piece)
            yield piece

    def _connected(self) -> _Adapter:
        if self._adapter is None:
            try:
                trusted = trust.context(self._how.ca_file, DEFAULT_CA_BUNDLE_PATH)
            except OSError as error:
                words = f"the CA file {self._how.ca_file} cannot be read: {error.strerror or error}"
                raise self._away("tls", words) from error
            self._adapter = _Adapter(trusted)
        return self._adapter

    def _redirected(self, request: Request, url: str, answer: Answer) -> tuple[Request, str]:
        """Where it goes on, if the credential may be shown there."""
        try:
            target = urljoin(url, answer.headers.get("location", ""))
            allowed = target != url and _may_follow(urlsplit(url), urlsplit(target))
        except ValueError:
            target, allowed = "", False
        if not allowed:
            raise self._away(
                "redirect",
                f"it redirects to {origin(target)}; link with that address if it is right, or log"
                " in to the network if that asks for it",
            )
        if answer.status == _SEE_OTHER:
            return Request("GET", request.path, request.headers), target
        return request, target

    def _away(self, kind: Away, message: str) -> CentreAway:
        return CentreAway(self._name, kind, message)


def _may_follow(old: SplitResult, new: SplitResult) -> bool:
    """Whether a credential that may be shown here may be shown there. Raises ``ValueError``."""
    if old.hostname != new.hostname:
        return False
    upgraded = (old.scheme, new.scheme) == ("http", "https")
    return upgraded or (old.scheme, old.port) == (new.scheme, new.port)


def origin(url: str) -> str:
    """Scheme and host of a URL, without what else may be in it."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2][:200]
    return f"{parts.scheme}://{host}"


def sorted_out(error: BaseException, *, clock_known: bool) -> tuple[Away, str]:
    """What it was that went wrong, of all that libraries wrap around it: a kind and a sentence."""
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, NoSuchName | NoConnection):
            return ("dns" if isinstance(one, NoSuchName) else "connect"), str(one)
        if isinstance(one, ssl.SSLError):
            return trust.untrusted(one, clock_known=clock_known)
    for kinds, told in _TOLD.items():
        if any(isinstance(one, kinds) for one in chain):
            return told
    return "reset", "the connection failed"


_TOLD: Final[Mapping[tuple[type[BaseException], ...], tuple[Away, str]]] = {
    (requests.exceptions.ProxyError,): ("connect", "the proxy does not let us through"),
    (urllib3.exceptions.InvalidChunkLength,): ("garbled", "its answer is not cut up as it says"),
    (TimeoutError,): ("timeout", "it took too long"),
    (
        ConnectionError, http.client.IncompleteRead, http.client.RemoteDisconnected,
    ): ("reset", "the connection was cut off"),
    (
        http.client.HTTPException, urllib3.exceptions.HTTPError, requests.RequestException,
        ValueError,
    ): ("garbled", "what it answers is not HTTP"),
}  # fmt: skip
"""By what is in the chain of exceptions, the first that fits."""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and all it was raised for, the innermost one last."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        waiting += [other for other in inner if isinstance(other, BaseException)]
