"""``flexedge serve`` as a centre, and as a gateway without a site: killed, started, asked."""

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from hil.interop.centre import free_port
from hil.programs import FLEXEDGE, Program, run
from hil.waiting import eventually

EMAIL, PASSWORD = "gateway@example.com", "seven grey herons"
_UP_S: Final = 120.0
_ANSWER_S: Final = 60.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """What a program has used since it was started: seconds of processors, and memory at most."""

    cpu_s: float
    peak_mb: float


class Edge:
    """One data folder, at one address however often the program on it is killed and started."""

    def __init__(self, folder: Path, account: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.variables = {
            "FLEXEDGE_DATA_DIR": str(folder / "data"),
            "FLEXEDGE_WEB__PORT": str(self.port),
        }
        self.programs: list[Program] = []
        self._session = requests.Session()
        self._session.trust_env = False
        (folder / "password").write_text(PASSWORD + "\n", encoding="utf-8")
        self.command("add", "account", "--name", account)
        self.command("add", "user", "--email", EMAIL, "--account-id", "1", "--roles",
                     "account-admin", "--password-file", "password")  # fmt: skip

    @property
    def program(self) -> Program:
        """The one that was started last."""
        return self.programs[-1]

    def command(self, *words: str, within_s: float = 120.0) -> str:
        """What a command of the installed program prints."""
        done = run(words, self.folder, self.variables, within_s)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        """Start the program; it need not be up when this returns."""
        program = Program([FLEXEDGE, "serve"], self.folder, self.variables, "serve.log")
        self.programs.append(program)

    def up(self) -> None:
        """Fails unless the program that was started last answers."""
        assert self.program.alive, self.program.said()[-2000:]
        path = self.folder / "data/runtime.json"
        assert path.exists(), "it has not begun"
        told = json.loads(path.read_text(encoding="utf-8"))
        assert told["pid"] == self.program.pid, "that is another one's trace"
        self._session.headers["Authorization"] = f"Bearer {told['token']}"
        self.ask("GET", "/api/v3_0/gateway/sync")

    def start_up(self) -> None:
        """Start the program and wait until it answers."""
        self.start()
        eventually(self.up, _UP_S)

    def kill(self) -> None:
        """End it as the power does."""
        self.program.end(signal.SIGKILL)

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON answer to who is at the machine; it must be a good one."""
        try:
            answer = self._session.request(
                method, self.url + path, json=body, params=query, timeout=_ANSWER_S
            )
        except requests.RequestException as error:
            raise AssertionError(f"no answer: {error}") from error
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def standing(self) -> Mapping[str, Any]:
        """How things stand with the only centre."""
        standing: Mapping[str, Any] = self.ask("GET", "/api/v3_0/gateway/sync")["centres"][0]
        return standing

    def usage(self) -> Usage:
        """What the program has used since it was started."""
        process, code = Path(f"/proc/{self.program.pid}"), self.program.process.poll()
        assert code is None, f"it ended by itself, {code}: {self.program.said()[-3000:]}"
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        lines = (process / "status").read_text().splitlines()
        peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        return Usage((int(fields[11]) + int(fields[12])) / _TICKS, peak / 1024)

    def clear(self) -> None:
        """End whatever runs."""
        self._session.close()
        for program in self.programs:
            program.clear()
