"""The two processes a demo consists of: the site and the daemon."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path

from flexedge.demo.report import Ready, Report
from flexedge.errors import FlexedgeError

_READY_S = 30.0
_ANSWER_S = 10.0
_TAIL_LINES = 20
_LINE_LIMIT = 1 << 20


class SiteDied(FlexedgeError):
    """The site process ended or did not answer."""


class SiteProcess:
    """The site, its ready line, and the conversation with it."""

    def __init__(self, process: Process, ready: Ready) -> None:
        self.ready = ready
        self.finished: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
        """The truth at the end of the days; ``SiteDied`` if the process ends before."""
        self._process = process
        self._answers: asyncio.Queue[str] = asyncio.Queue()
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    @classmethod
    async def start(cls, arguments: Sequence[str]) -> "SiteProcess":
        """Start the site; returns when it listens. Raises ``SiteDied``."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "flexedge.demo.site",
            *arguments,
            stdin=PIPE,
            stdout=PIPE,
            start_new_session=True,  # Ctrl-C is for the demo alone: devices go last
            limit=_LINE_LIMIT,
        )
        if process.stdout is None:  # pragma: no cover - it was asked for
            raise SiteDied("the site has no stdout")
        try:
            line = await asyncio.wait_for(process.stdout.readline(), _READY_S)
        except TimeoutError:
            line = b""
        if not line:
            if process.returncode is None:
                process.kill()
            code = await process.wait()
            raise SiteDied(f"the site did not come up (exit {code})")
        return cls(process, Ready.model_validate_json(line))

    async def _listen(self) -> None:
        stdout = self._process.stdout
        while stdout is not None and (line := (await stdout.readline()).decode()):
            if json.loads(line).get("event") == "finished":
                self.finished.set_result(Report.model_validate_json(line))
            else:
                self._answers.put_nowait(line)
        if not self.finished.done():
            self.finished.set_exception(SiteDied("the site process has ended"))
            self.finished.exception()  # looked at: nobody may be waiting for it any more

    async def ask(self, request: Mapping[str, str]) -> str:
        """One request, one line of answer. Raises ``SiteDied``."""
        if self._process.stdin is None:  # pragma: no cover - it was asked for
            raise SiteDied("the site has no stdin")
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            await self._process.stdin.drain()
            return await asyncio.wait_for(self._answers.get(), _ANSWER_S)
        except (OSError, TimeoutError) as error:
            raise SiteDied("the site does not answer") from error

    async def report(self) -> Report:
        """The truth now."""
        return Report.model_validate_json(await self.ask({"do": "report"}))

    async def stop(self) -> None:
        """End the site."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _ANSWER_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._listening


class DaemonProcess:
    """The daemon, with everything it says in a log file."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def start(
        cls, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> "DaemonProcess":
        """Start the daemon with ``environment`` on top of ours."""
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                env={**os.environ, **environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # as above
            )
        return cls(process, log)

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.returncode

    async def ended(self) -> int:
        """Wait for its end; the exit code."""
        return await self._process.wait()

    async def stop(self, patience_s: float) -> int:
        """Ask it to end, and make it end after ``patience_s``; the exit code."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(self._process.wait(), patience_s)
            except TimeoutError:
                self._process.kill()
        return await self._process.wait()

    def last_words(self) -> str:
        """The end of its log."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])
