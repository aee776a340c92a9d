"""The demo's clock: real time, or time shared with the gateway and running N times faster.

The gateway connects and is told (now, speed) as two little-endian doubles. Then it says, each
time with one double, until when it has nothing to do; the site moves there, not faster than
``speed`` allows, and answers with the time reached. So both move in lockstep: slower than asked
where the machine cannot keep up, but never skipping. While nobody is connected the site runs on
by itself. When the simulation has ended nobody is answered any more: time stands still.
"""

import asyncio
import math
import struct
import time
from collections.abc import Callable

from flexedge.demo.simulation import Simulation

_GREETING = struct.Struct("<dd")
_MOMENT = struct.Struct("<d")
_AHEAD_S = 0.005
"""Less than this ahead (wall time) is not worth a sleep."""
_BEHIND_S = 0.05
"""What was lost beyond this is not made up for."""
_SLICE_S = 0.02
"""Wall time to move at once, so that devices are served in between."""
_MOST_SITE_S = 120.0
"""Site time to move at once, for the same reason."""
_REAL_TICK_S = 0.25


def wall_now() -> float:
    """The wall clock in unix seconds."""
    return time.time()  # noqa: TID251 (this module is the demo's clock)


async def pause(seconds: float) -> None:
    """Wait in wall time: for another program to come up or go away."""
    await asyncio.sleep(seconds)


class Timekeeper:
    """Moves a simulation through time.

    ``hold`` keeps time still until the gateway has connected once. ``ended`` is called once, when
    the simulation has reached its end.
    """

    def __init__(
        self, simulation: Simulation, speed: float, ended: Callable[[], None], *, hold: bool = False
    ) -> None:
        self.simulation = simulation
        self.speed = speed
        self.port: int | None = None
        self._ended = ended
        self._end_told = False
        self._stopped = False
        self._free = not hold
        self._client: _Client | None = None
        self._target = -math.inf
        self._anchor = (time.monotonic(), simulation.now)
        self._since = time.monotonic()
        self._timer: asyncio.TimerHandle | asyncio.Handle | None = None
        self._server: asyncio.Server | None = None

    @property
    def shared(self) -> bool:
        """Whether the site's time is its own rather than the wall's."""
        return self.speed != 1.0

    @property
    def wall_s(self) -> float:
        """Wall seconds since the gateway first connected, or since the start."""
        return time.monotonic() - self._since

    async def start(self) -> None:
        """Let time run; with a speed other than 1, listen on a free port of the loopback."""
        loop = asyncio.get_running_loop()
        self._anchor = (time.monotonic(), self.simulation.now)
        self._since = time.monotonic()
        if not self.shared:
            self._real()
            return
        self._server = await loop.create_server(lambda: _Client(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._move()

    async def stop(self) -> None:
        """Stop time."""
        self._stopped = True
        self._cancel()
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._client is not None:
            self._client.drop()
        await asyncio.sleep(0)

    def _real(self) -> None:
        self.simulation.advance(wall_now())
        if self.simulation.finished:
            self._tell_end()
        self._timer = asyncio.get_running_loop().call_later(_REAL_TICK_S, self._real)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def came(self, client: "_Client") -> None:
        """A gateway has connected; it takes the place of the one before."""
        if self._client is not None:
            self._client.drop()
        elif not self._free:
            self._since = time.monotonic()
        self._client = client
        self._free = True
        self._cancel()
        self._target = -math.inf
        self._anchor = (time.monotonic(), self.simulation.now)
        client.send(_GREETING.pack(self.simulation.now, self.speed))

    def went(self, client: "_Client") -> None:
        """A gateway has gone: the site runs on by itself."""
        if client is self._client:
            self._client = None
            self._cancel()
            if not self._stopped:
                self._move()

    def asked(self, until: float) -> None:
        """The gateway has nothing to do before ``until``."""
        now = self.simulation.now
        self._target = until if math.isfinite(until) else now + 1.0
        self._cancel()
        self._move()

    def _move(self) -> None:
        """Move on towards the target, in slices, not ahead of the allowed speed."""
        self._timer = None
        simulation = self.simulation
        target = self._target if self._client is not None else self._free_target()
        piece = min(max(self.speed * _SLICE_S, 1.0), _MOST_SITE_S)
        simulation.advance(min(target, simulation.now + piece))
        if simulation.finished:
            self._tell_end()
            return
        ahead = self._ahead_s()
        if self._client is not None and simulation.now >= target:
            self._later(ahead, self._answer)
        elif self._client is not None or self._free:
            self._later(ahead, self._move)

    def _free_target(self) -> float:
        return math.inf if self._free else -math.inf

    def _ahead_s(self) -> float:
        """How many wall seconds the site is ahead of its speed."""
        wall, site = self._anchor
        now = time.monotonic()
        ahead = (self.simulation.now - site) / self.speed - (now - wall)
        if ahead < -_BEHIND_S:
            self._anchor = (now, self.simulation.now)
        return ahead

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        if seconds > _AHEAD_S:
            self._timer = asyncio.get_running_loop().call_later(seconds, call)
        elif call == self._answer:
            call()
        else:
            self._timer = asyncio.get_running_loop().call_soon(call)

    def _answer(self) -> None:
        self._timer = None
        if self._client is not None:
            self._client.send(_MOMENT.pack(self.simulation.now))

    def _tell_end(self) -> None:
        if not self._end_told:
            self._end_told = True
            self._ended()


class _Client(asyncio.Protocol):
    """A gateway that shares the clock. asyncio sets TCP_NODELAY on its sockets."""

    def __init__(self, keeper: Timekeeper) -> None:
        self._keeper = keeper
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._keeper.came(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's protocol)
        self._keeper.went(self)

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) >= _MOMENT.size:
            (until,) = _MOMENT.unpack_from(self._rest)
            self._rest = self._rest[_MOMENT.size :]
            self._keeper.asked(until)

    def send(self, data: bytes) -> None:
        """Send to the gateway."""
        if self._transport is not None:
            self._transport.write(data)

    def drop(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()
