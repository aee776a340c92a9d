"""Two servers of the same API: ours in a process of its own, and FlexMeasures where it is named."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection, RemoteDisconnected
from json import dumps, loads
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlencode

from flexedge.demo.api import Runtime, read_runtime
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account

START = datetime(2026, 6, 1, tzinfo=UTC)
_PATIENCE_S = 120.0
_NEXT_LOOK_S = 0.002
_never = Event()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says."""

    status_code: int
    content: bytes

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        return self.status_code < HTTPStatus.BAD_REQUEST

    @property
    def text(self) -> str:
        """What it says in words."""
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        """What it says as JSON."""
        return loads(self.content)


@dataclass(frozen=True, slots=True)
class Server:
    """Somebody who answers FlexMeasures' API."""

    url: str
    token: str
    lines: list[HTTPConnection] = field(default_factory=list)

    def ask(
        self, method: str, path: str, *, json: Any = None, params: Any = None,
        under: str = "/api/v3_0",
    ) -> Answer:  # fmt: skip
        """One request, on a connection that is kept open.

        By the standard library: a client that takes a millisecond itself would be measured, too.
        """
        query = "" if params is None else f"?{urlencode(params)}"
        headers = {"Authorization": self.token, "Content-Type": "application/json"}
        body = None if json is None else dumps(json)
        for _ in range(2):  # a server may close a connection between two requests
            line = self.lines.pop() if self.lines else HTTPConnection(
                self.url.partition("://")[2], timeout=_PATIENCE_S
            )  # fmt: skip
            try:
                line.request(method, f"{under}{path}{query}", body, headers)
                told = line.getresponse()
                answer = Answer(told.status, told.read())
            except (RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                line.close()
                continue
            self.lines.append(line)
            return answer
        raise RuntimeError(f"{self.url} does not answer")

    def do(self, method: str, path: str, **more: Any) -> Any:
        """The JSON of an answer that must be a good one."""
        answer = self.ask(method, path, **more)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()

    def asset(self, name: str, kind: str, **more: Any) -> int:
        """A new asset of the first account."""
        kinds = {one["name"]: one["id"] for one in self.do("GET", "/assets/types")}
        body = {"name": name, "generic_asset_type_id": kinds[kind], "account_id": 1,
                "latitude": 52.4, "longitude": 4.9, **more}  # fmt: skip
        return int(self.do("POST", "/assets", json=body)["id"])

    def sensor(self, name: str, asset: int, unit: str, resolution: str = "PT15M") -> int:
        """A new sensor."""
        body = {"name": name, "generic_asset_id": asset, "unit": unit,
                "event_resolution": resolution, "timezone": "Europe/Amsterdam"}  # fmt: skip
        return int(self.do("POST", "/sensors", json=body)["id"])

    def post(self, sensor: int, start: datetime, step: timedelta, unit: str, values: list[float]
             ) -> None:  # fmt: skip
        """Post values; they may be stored later."""
        body = {"start": start.isoformat(), "duration": _iso(step * len(values)),
                "values": values, "unit": unit}  # fmt: skip
        self.do("POST", f"/sensors/{sensor}/data", json=body)

    def read(
        self, sensor: int, start: datetime, duration: timedelta, unit: str
    ) -> list[float | None]:
        """The values of a sensor."""
        query = {"start": start.isoformat(), "duration": _iso(duration), "unit": unit}
        values: list[float | None] = self.do("GET", f"/sensors/{sensor}/data", params=query)[
            "values"
        ]
        return values

    def scheduled(self, path: str, sensor: int, body: dict[str, Any]) -> None:
        """Trigger, and wait until the schedule can be read."""
        job = self.do("POST", f"{path}/schedules/trigger", json=body)["schedule"]
        began = time.perf_counter()
        query = {"duration": body["duration"]}
        while True:
            answer = self.ask("GET", f"/sensors/{sensor}/schedules/{job}", params=query)
            if answer.status_code == 200 and "values" in answer.json():
                return
            if answer.status_code not in (200, 202) or time.perf_counter() - began > _PATIENCE_S:
                raise RuntimeError(f"no schedule: {answer.status_code} {answer.text[:500]}")
            _never.wait(_NEXT_LOOK_S)


def _iso(duration: timedelta) -> str:
    return f"PT{int(duration.total_seconds() // 60)}M"


@contextlib.contextmanager
def served() -> Iterator[Server]:
    """``flexedge serve`` on an empty folder with one account; ended on leaving."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with contextlib.closing(State(folder / "state.db")) as state:
            state.accounts.add(Account("Bench"))
        with running(folder, "serve") as runtime:
            yield Server(runtime.url, f"Bearer {runtime.token}")


@contextlib.contextmanager
def running(folder: Path, command: str, *before: str, **variables: str) -> Iterator[Runtime]:
    """A flexedge process that has said where it listens; ``before``: what it is started with."""
    environment = {**os.environ, "FLEXEDGE_DATA_DIR": str(folder), "FLEXEDGE_WEB__PORT": "0",
                   **variables}  # fmt: skip
    words = [*before, sys.executable, "-m", "flexedge", command]
    with (folder / "log").open("wb") as log, subprocess.Popen(
        words, env=environment, stdout=log, stderr=log
    ) as process:  # fmt: skip
        began = time.perf_counter()
        try:
            while (runtime := read_runtime(folder)) is None:
                if process.poll() is not None or time.perf_counter() - began > _PATIENCE_S:
                    raise RuntimeError((folder / "log").read_text(encoding="utf-8"))
                _never.wait(0.05)
            yield runtime
        finally:
            process.terminate()
            process.wait(20)


def flexmeasures() -> Server | None:
    """The FlexMeasures server that FLEXMEASURES_URL and FLEXMEASURES_TOKEN name.

    Or the one that the script in FLEXMEASURES_SERVER starts where it does not run yet.
    """
    script = os.environ.get("FLEXMEASURES_SERVER")
    if script is not None:
        run = ["bash", script]
        subprocess.run([*run, "start"], check=True, stdout=subprocess.DEVNULL)
        token = subprocess.run([*run, "token"], check=True, capture_output=True, text=True).stdout
        return Server(f"http://127.0.0.1:{os.environ.get('FM_PORT', '5000')}", token.strip())
    url, known = os.environ.get("FLEXMEASURES_URL"), os.environ.get("FLEXMEASURES_TOKEN")
    return None if url is None or known is None else Server(url, known)
