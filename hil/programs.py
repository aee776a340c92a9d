"""The programs under test, as processes that end with the test whatever happens."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from hil.waiting import Lines

FLEXEDGE = os.environ.get("FLEXEDGE_PROGRAM", str(Path(sys.executable).with_name("flexedge")))
"""The installed program; ``FLEXEDGE_PROGRAM`` names another one."""
_SITE = (sys.executable, "-m", "flexedge.demo.site")
_NOT_OURS = ("FLEXEDGE_", "NOTIFY_SOCKET", "WATCHDOG_")
_ANSWER_S = 10.0
_END_S = 10.0
_PATIENCE_S = 20.0
"""A demo ends two processes of its own, each of which may take its time."""
Device = Literal["battery", "solar", "meter", "heating", "charger"]
DEVICES: tuple[Device, ...] = ("battery", "solar", "meter", "heating", "charger")
Do = Literal["stop", "start", "silence", "speak"]


def environment(**more: str) -> dict[str, str]:
    """Ours, but for what concerns another gateway or our own service manager; with ``more``."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
    return ours | {"PYTHONUNBUFFERED": "1"} | more


def run(
    arguments: Sequence[str], folder: Path, variables: Mapping[str, str], within_s: float = 30.0
) -> subprocess.CompletedProcess[str]:
    """One command of the installed program, to its end."""
    return subprocess.run(
        [FLEXEDGE, *arguments],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )


class Program:
    """A process in a session of its own, so that signals reach it alone. Ends on leaving."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        log: str,
        *,
        spoken_to: bool = False,
    ) -> None:
        self.log = folder / log
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(**variables),
                stdin=subprocess.PIPE if spoken_to else subprocess.DEVNULL,
                stdout=subprocess.PIPE if spoken_to else output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def end(self, number: signal.Signals = signal.SIGINT, within_s: float = _END_S) -> int:
        """Send a signal and wait for the end; the exit code. Fails if it does not come."""
        self.process.send_signal(number)
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired as late:
            raise AssertionError(f"still running {within_s} s after {number.name}") from late

    def clear(self) -> None:
        """Make sure that it is gone."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        if self.alive:
            self.process.terminate()
            try:
                self.process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def said(self) -> str:
        """Everything in its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")


class Site:
    """The simulated site: devices on real sockets, which do as they are told on stdin."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.program = Program([*_SITE, *arguments], folder, {}, "site.log", spoken_to=True)
        assert self.program.process.stdin is not None
        assert self.program.process.stdout is not None
        self._stdin = self.program.process.stdin
        self._lines = Lines(self.program.process.stdout)
        try:
            ready = json.loads(self._lines.next(_ANSWER_S))
        except AssertionError:
            self.program.clear()
            raise
        self.ports: dict[str, int] = ready["ports"]
        self.clock: int | None = ready["clock"]
        self.now: float = ready["now"]

    def _ask(self, request: Mapping[str, str]) -> dict[str, Any]:
        self._stdin.write(json.dumps(request).encode() + b"\n")
        self._stdin.flush()
        answer: dict[str, Any] = json.loads(self._lines.next(_ANSWER_S))
        return answer

    def tell(self, what: str, do: Do) -> None:
        """Stop, start, silence or unsilence a device, the broker, or "all"."""
        request = {"broker": do} if what == "broker" else {"device": what, "do": do}
        answer = self._ask(request)
        assert answer["event"] == "done", answer

    def heal(self) -> None:
        """Have everything run and speak."""
        self.tell("all", "start")
        for device in DEVICES:
            self.tell(device, "speak")

    def controls(self) -> dict[str, dict[str, Any]]:
        """What each device says of its own control point, by asset."""
        controls: dict[str, dict[str, Any]] = self._ask({"do": "report"})["controls"]
        return controls

    def held(self) -> set[str]:
        """The assets somebody controls now."""
        return {asset for asset, truth in self.controls().items() if not truth["released"]}
