"""The demo's own MQTT broker, so that nothing else must be installed.

The sockets are ours and only the conversation is the library's: so that the broker can be switched
off like a device, with every connection cut at once, whatever state it is in.
"""

import asyncio
import contextlib
import logging
import socket

from amqtt.broker import Broker

_QUIET = ("amqtt", "transitions")
_LISTENER = "default"
_CONFIG = {
    "listeners": {_LISTENER: {"type": "external"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class DemoBroker:
    """A broker on a port of the loopback. May be stopped and started again on the same port."""

    def __init__(self) -> None:
        self.port = _free_port()
        self._broker: Broker | None = None
        self._server: asyncio.Server | None = None
        self._talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Listen; does nothing if it does already."""
        if self._server is not None:
            return
        for name in _QUIET:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._broker = Broker(_CONFIG)
        await self._broker.start()
        self._server = await asyncio.start_server(
            self._came, "127.0.0.1", self.port, reuse_address=True
        )

    def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._talks[task] = writer
        task.add_done_callback(lambda task: self._talks.pop(task, None))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._broker is not None:
            with contextlib.suppress(OSError):  # the client went while it was being answered
                await self._broker.stream_connected(reader, writer, _LISTENER)
        writer.close()

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is None or self._broker is None:
            return
        self._server.close()
        broker, self._server, self._broker = self._broker, None, None
        for writer in self._talks.values():
            writer.transport.abort()
        await broker.shutdown()
        talks = tuple(self._talks)
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await asyncio.sleep(0)
