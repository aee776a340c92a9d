"""The web server: uvicorn in a thread that somebody else provides."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

from flexedge.errors import WebUnavailable
from flexedge.web.connection import Connection

_GRACE_S = 0.5
_THIS_MACHINE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - a look-up


@contextlib.contextmanager
def _no_signals() -> Iterator[None]:
    yield


class Server:
    """Serves one application on one address.

    ``start`` takes the address, ``serve`` blocks until ``stop``; a server serves once.
    """

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._stopped = False
        config = uvicorn.Config(
            app,
            http=Connection,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=256,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_GRACE_S,  # type: ignore[arg-type] # handed to wait_for
        )
        self._uvicorn = uvicorn.Server(config)
        self._uvicorn.capture_signals = _no_signals  # type: ignore[method-assign] # daemon's

    @property
    def url(self) -> str:
        """Where the page is; the real port once started. For every interface: this machine's."""
        host = _THIS_MACHINE.get(self._host, self._host)
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    def start(self) -> None:
        """Take the address; connections wait from now on. Raises ``WebUnavailable``."""
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self._host or None, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            taken = socket.socket(family, kind, protocol)
        except OSError as error:
            raise self._unavailable(error) from error
        try:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(address)
            taken.listen(128)
            taken.setblocking(False)
        except OSError as error:
            taken.close()
            raise self._unavailable(error) from error
        self._socket = taken
        self._port = taken.getsockname()[1]

    def serve(self) -> None:
        """Serve until ``stop``; takes the address first if that was not done."""
        if self._socket is None:
            self.start()
        try:
            asyncio.run(self._life())
        finally:
            if self._socket is not None:
                self._socket.close()

    def stop(self) -> None:
        """End open streams and stop serving, within a second. From any thread, at any time."""
        with self._lock:
            self._stopped = True
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._end)
            elif self._socket is not None:
                self._socket.close()

    async def _life(self) -> None:
        with self._lock:
            if self._stopped or self._socket is None:
                return
            self._loop = asyncio.get_running_loop()
        try:
            await self._uvicorn.serve(sockets=[self._socket])
        finally:
            with self._lock:
                self._loop = None

    def _end(self) -> None:
        self._uvicorn.should_exit = True
        self._app.state.hang_up()

    def _unavailable(self, error: OSError) -> WebUnavailable:
        place = f"{self._host or '*'}:{self._port}"
        return WebUnavailable(
            f"the web page cannot listen on {place}: {error.strerror or error}; "
            "is another program using the port? choose another one in the settings"
        )
