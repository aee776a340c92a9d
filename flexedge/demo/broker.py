"""The demo's own MQTT broker, so that nothing else must be installed."""

import asyncio
import logging
import socket

from amqtt.broker import Broker

_QUIET = ("amqtt", "transitions")
_ANONYMOUS = "amqtt.plugins.authentication.AnonymousAuthPlugin"


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

    async def start(self) -> None:
        """Listen; does nothing if it does already."""
        if self._broker is not None:
            return
        for name in _QUIET:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        listener = {"type": "tcp", "bind": f"127.0.0.1:{self.port}", "max_connections": 50}
        config = {
            "listeners": {"default": listener},
            "plugins": {_ANONYMOUS: {"allow_anonymous": True}},
        }
        broker = Broker(config)
        await broker.start()
        self._broker = broker

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        if self._broker is None:
            return
        broker, self._broker = self._broker, None
        await broker.shutdown()
        await asyncio.sleep(0)
