"""The site's own process: ``python -m flexedge.demo.site``.

Prints a line of JSON when it is ready, obeys lines of JSON on stdin, and ends when stdin ends:
{"device": "battery", "do": "stop" | "start" | "silence" | "speak"}, {"broker": "stop" | "start"},
{"do": "report"}. Each is answered by one line of JSON.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from flexedge.demo.faults import Faults, parse_fault
from flexedge.demo.front import Front
from flexedge.demo.report import Ready
from flexedge.demo.simulation import Simulation
from flexedge.demo.timekeeper import Timekeeper, wall_now

_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Request:
    """What a line on stdin asks for; ``device`` is empty for the site as a whole."""

    device: str
    do: str


def parse_request(line: str) -> Request:
    """Read one line of stdin. Raises ``ValueError`` for anything that is no request."""
    data = json.loads(line)
    if not isinstance(data, dict):
        raise ValueError("a request is a JSON object")
    if "broker" in data:
        return Request("broker", str(data["broker"]))
    return Request(str(data.get("device", "")), str(data.get("do", "")))


def say(line: str) -> None:
    """One line on stdout, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Site:
    """The process: physics, sockets, clock, and the conversation on stdin and stdout."""

    def __init__(self, options: argparse.Namespace) -> None:
        start = wall_now() if options.start is None else options.start
        end = float("inf") if options.days is None else start + options.days * _DAY_S
        self.simulation = Simulation(options.seed, start, end)
        self.front = Front(self.simulation)
        self.keeper = Timekeeper(self.simulation, options.speed, self._finished, hold=options.hold)
        self._work: set[asyncio.Task[None]] = set()
        faults = [parse_fault(text) for text in options.fault]
        for fault in faults:
            if not self.front.knows(fault.device, fault.do):
                raise ValueError(f"no {fault.do} for {fault.device!r} here")
        self.simulation.after_step.append(Faults(faults, start, self._soon).step)

    def _finished(self) -> None:
        say(self.simulation.report("finished", self.keeper.wall_s).model_dump_json())

    def _soon(self, device: str, do: str) -> None:
        task = asyncio.get_running_loop().create_task(self.front.act(device, do))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def run(self) -> None:
        """Serve until stdin ends."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        pipe, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        await self.front.start()
        await self.keeper.start()
        ready = Ready(
            event="ready",
            now=self.simulation.now,
            clock=self.keeper.port,
            ports=self.front.ports,
        )
        say(ready.model_dump_json())
        gc.collect()
        gc.freeze()  # what lives as long as the process need not be looked through again
        while line := await reader.readline():
            say(await self.answer(line.decode()))
        pipe.close()
        await self.keeper.stop()
        await self.front.stop()

    async def answer(self, line: str) -> str:
        """The answer to one line of stdin."""
        try:
            request = parse_request(line)
        except ValueError as error:
            return _error(f"not understood: {error}")
        if request == Request("", "report"):
            return self.simulation.report("report", self.keeper.wall_s).model_dump_json()
        if not self.front.knows(request.device, request.do):
            return _error(f"nothing here can {request.do!r} {request.device!r}")
        await self.front.act(request.device, request.do)
        return json.dumps({"event": "done", "device": request.device, "do": request.do})


def _error(message: str) -> str:
    return json.dumps({"event": "error", "message": message})


def parser() -> argparse.ArgumentParser:
    """The options of the site process."""
    options = argparse.ArgumentParser(prog="python -m flexedge.demo.site")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--speed", type=float, default=1.0)
    options.add_argument("--start", type=float, help="unix seconds; default: the wall clock")
    options.add_argument("--days", type=float, help="time stands still after so many days")
    options.add_argument("--hold", action="store_true", help="no time passes before the gateway")
    options.add_argument("--fault", action="append", default=[], help="battery:stop@600+120")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the site process."""
    options = parser().parse_args(arguments)
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the end of stdin is the end
    try:
        asyncio.run(_run(options))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


async def _run(options: argparse.Namespace) -> None:
    await Site(options).run()


if __name__ == "__main__":
    sys.exit(main())
