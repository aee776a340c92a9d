"""``flexedge demo``: the simulated site, the daemon beside it, and what came of it."""

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flexedge.demo import api
from flexedge.demo.children import DaemonProcess, SiteDied, SiteProcess
from flexedge.demo.faults import parse_fault
from flexedge.demo.options import Options
from flexedge.demo.place import ZONE
from flexedge.demo.report import Report
from flexedge.demo.result import result_of, table
from flexedge.demo.site_yaml import write_site
from flexedge.demo.timekeeper import pause
from flexedge.errors import FlexedgeError

_USUAL_PORT = 8440
_OPEN_DAYS = 60.0
"""How far prices reach when no end is set."""
_READY_S = 60.0
_LOOK_S = 0.1
_PATIENCE_S = 4.5
_LONGER_PATIENCE_S = 30.0
"""After a run of days nobody waits at a keyboard."""
_MARK = ".flexedge-demo"
_OK, _FAILED, _USAGE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class _Ended:
    """Why the demo is over: the report if its days are, else what went wrong (or nothing)."""

    report: Report | None = None
    failure: str | None = None


def main(options: Options) -> int:
    """Run the demo. Exit code 0: the daemon ended well and every control point is released."""
    try:
        for fault in options.faults:
            parse_fault(fault)
        options.begins_at()
        _prepare(options.folder, keep=options.keep)
    except ValueError as error:
        _tell(f"flexedge demo: {error}")
        return _USAGE
    try:
        return asyncio.run(_demo(options))
    except FlexedgeError as error:
        _tell(f"flexedge demo: {error}")
        return _FAILED


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _prepare(folder: Path, *, keep: bool) -> None:
    """Make the work folder; empty it unless it shall be kept, but only if it is a demo's."""
    mark = folder / _MARK
    if folder.exists() and any(folder.iterdir()):
        if not mark.exists():
            raise ValueError(f"{folder} holds something else; choose another folder")
        if not keep:
            shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark.touch()


def _web_port(wanted: int | None) -> int:
    if wanted is not None:
        return wanted
    for port in (_USUAL_PORT, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            free: int = probe.getsockname()[1]
            return free
    return 0


def _site_arguments(options: Options) -> list[str]:
    start = options.begins_at()
    arguments = ["--seed", str(options.seed), "--speed", str(options.speed)]
    if start is not None:
        arguments += ["--start", repr(start)]
    if options.days is not None:
        arguments += ["--days", str(options.days), "--hold"]
    for fault in options.faults:
        arguments += ["--fault", fault]
    return arguments


async def _demo(options: Options) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with _site(options) as site:
        daemon = await _start_daemon(options, site)
        try:
            return await _accompany(options, site, daemon, stop)
        finally:
            await daemon.stop(_PATIENCE_S)


@contextlib.asynccontextmanager
async def _site(options: Options) -> AsyncIterator[SiteProcess]:
    site = await SiteProcess.start(_site_arguments(options))
    try:
        yield site
    finally:
        await site.stop()


async def _start_daemon(options: Options, site: SiteProcess) -> DaemonProcess:
    folder = options.folder.resolve()
    days = options.days or _OPEN_DAYS
    path = write_site(folder, options.seed, site.ready.now, days, site.ready.ports)
    data = folder / "data"
    data.mkdir(exist_ok=True)
    (data / "runtime.json").unlink(missing_ok=True)
    environment = {
        "FLEXEDGE_SITE": str(path),
        "FLEXEDGE_DATA_DIR": str(data),
        "FLEXEDGE_WEB__PORT": str(_web_port(options.port)),
    }
    if site.ready.clock is not None:
        environment["FLEXEDGE_CLOCK"] = f"127.0.0.1:{site.ready.clock}"
    return await DaemonProcess.start(options.daemon, environment, folder / "daemon.log")


async def _accompany(
    options: Options, site: SiteProcess, daemon: DaemonProcess, stop: asyncio.Event
) -> int:
    runtime = await _runtime(options.folder / "data", daemon, stop)
    if runtime is not None:
        _banner(options, site, await asyncio.to_thread(api.page_link, runtime))
    ended = await _end(site, daemon, stop)
    if ended.failure is not None:
        _tell(f"{ended.failure}\n{daemon.last_words()}")
        return _FAILED
    totals = None
    if ended.report is not None and runtime is not None:
        totals = await asyncio.to_thread(api.totals, runtime, ended.report.start, ended.report.now)
    code = await daemon.stop(_PATIENCE_S if ended.report is None else _LONGER_PATIENCE_S)
    report = await site.report()
    _final_word(report, code)
    if ended.report is not None and totals is not None:
        result = result_of(ended.report.model_copy(update={"controls": report.controls}), totals)
        _print(result.model_dump_json() if options.json else table(result))
    elif options.json:
        controls = {name: truth.model_dump() for name, truth in report.controls.items()}
        _print(json.dumps({"controls": controls, "daemon_exit": code}))
    released = all(control.released for control in report.controls.values())
    return _OK if released and code == 0 else _FAILED


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def _runtime(data: Path, daemon: DaemonProcess, stop: asyncio.Event) -> api.Runtime | None:
    """The daemon's address when it is up; None if it died or the demo is to end before.

    Raises ``DaemonSilent`` after a minute without one.
    """
    for _ in range(round(_READY_S / _LOOK_S)):
        if stop.is_set() or daemon.exit_code is not None:
            return None
        runtime = api.read_runtime(data)
        if runtime is not None:
            return runtime
        await pause(_LOOK_S)
    raise api.DaemonSilent(f"the daemon is not up after {_READY_S:.0f} s\n{daemon.last_words()}")


async def _end(site: SiteProcess, daemon: DaemonProcess, stop: asyncio.Event) -> _Ended:
    """Wait for Ctrl-C, the end of the days, or the death of either process."""
    stopped = asyncio.ensure_future(stop.wait())
    died = asyncio.ensure_future(daemon.ended())
    await asyncio.wait((stopped, died, site.finished), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    died.cancel()
    if stop.is_set():
        return _Ended()
    if site.finished.done():
        try:
            return _Ended(site.finished.result())
        except SiteDied as error:
            return _Ended(failure=str(error))
    return _Ended(failure=f"the daemon has ended by itself (exit {daemon.exit_code}):")


def _banner(options: Options, site: SiteProcess, link: str) -> None:
    clock = datetime.fromtimestamp(site.ready.now, UTC).astimezone(ZONE)
    pace = "in real time" if options.speed == 1 else f"{options.speed:g} times faster"
    until = "Ctrl-C ends it" if options.days is None else f"it ends after {options.days:g} days"
    _tell(
        "\n".join(
            (
                "",
                f"  The demo house is running {pace} since {clock:%a %d %b %Y %H:%M}; {until}.",
                f"  Its page: {link}",
                f"  The daemon's log: {options.folder / 'daemon.log'}",
                "",
            )
        )
    )


def _final_word(report: Report, code: int) -> None:
    """Say what the devices themselves say."""
    _tell("")
    for name, control in report.controls.items():
        word = "released" if control.released else f"STILL HELD by {control.by}"
        _tell(f"  {name}: {word} ({control.state})")
    if code != 0:
        _tell(f"  the daemon ended with exit code {code}")
