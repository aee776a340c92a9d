"""What every request passes: the Host it asked for, its size, and the headers of the answer."""

import ipaddress
import math
import socket
from collections.abc import Collection
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flexedge.errors import RequestError
from flexedge.web.answers import failure

MOST_BODY_BYTES: Final = 64 * 1024
_LOCAL_SUFFIXES: Final = (".local", ".localhost", ".lan", ".home.arpa", ".internal")
_SECURITY: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_log = structlog.get_logger(__name__)


def _host_name(host: str) -> str:
    """The name in a Host header, without port, brackets and case."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".").lower()


def host_allowed(host: str, names: Collection[str]) -> bool:
    """Whether a Host header names this machine, rather than a stranger's name rebound to it.

    Allowed are IP addresses, names that only a local network can give out, and ``names``.
    """
    name = _host_name(host)
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name in names or name.endswith(_LOCAL_SUFFIXES)
    return True


def same_origin(headers: Headers) -> bool:
    """Whether the browser says that our own page sent this."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is not None:
        return origin.partition("://")[2].lower() == headers.get("host", "").lower()
    return site is not None


class Guard:
    """Wraps the application: refuses what no page of ours would send, hides what broke.

    ``measured``: under these paths the size of bodies is measured further inside.
    """

    def __init__(
        self, app: ASGIApp, names: Collection[str] = (), measured: Collection[str] = ()
    ) -> None:
        self._app = app
        self._names = frozenset(names) | {socket.gethostname().lower()}
        self._measured = tuple(measured)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sealed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers.update(_SECURITY)
                still = scope["path"].startswith("/static/")
                headers.setdefault("Cache-Control", "no-cache" if still else "no-store")
            await send(message)

        inside = scope["path"].startswith(self._measured)
        refusal = self._refusal(Headers(scope=scope), math.inf if inside else MOST_BODY_BYTES)
        if refusal is not None:
            await failure(*refusal)(scope, receive, sealed)
            return
        try:
            await self._app(scope, receive if inside else _measured(receive), sealed)
        except ClientDisconnect:
            pass
        except Exception:  # noqa: BLE001 - the one broad except of this floor
            _log.exception("web request failed", path=scope["path"], method=scope["method"])
            if not started:
                await failure(500, "Something went wrong; the log says what.")(
                    scope, receive, sealed
                )

    def _refusal(self, headers: Headers, most: float) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not host_allowed(host, self._names):
            return 421, (
                f"flexedge does not answer to the name {_host_name(host)!r}; use its address, "
                "or add the name to its settings."
            )
        size = headers.get("content-length", "0")
        if not size.isdecimal() or int(size) > most:
            return 413, "The request is too large."
        return None


def _measured(receive: Receive) -> Receive:
    """Receive that gives up on bodies that grow beyond the limit without having said so."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MOST_BODY_BYTES:
            raise RequestError(413, "The request is too large.")
        return message

    return counted
