"""The gateway's HTTP API, asked as the command line asks it: with what stands in runtime.json."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from hil.waiting import eventually

_TIMEOUT_S = 10.0
FAST = {
    "battery": ("battery.power", 1.0),
    "solar": ("solar.power", 1.0),
    "meter": ("grid.power", 1.0),
    "heating": ("heating.power", 2.0),
    "charger": ("car.power", 1.0),
}
"""One sensor of each device, and every how many seconds its profile has it read."""
WELL = dict.fromkeys(FAST, "ok")


@dataclass(frozen=True)
class Polls:
    """How often each device has answered since the start, at a moment of the gateway's clock."""

    at: datetime
    counts: Mapping[str, int]


class Api:
    """Asks the daemon whose data folder this is. Every call fails where it does not answer."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.pid: int | None = None
        """Set: only this process will do, not one whose traces it found."""
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        self._session.close()

    @property
    def runtime(self) -> dict[str, Any]:
        """Where the daemon can be reached, and its pid."""
        path = self.data / "runtime.json"
        assert path.exists(), f"there is no {path}"
        runtime: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        assert self.pid in (None, runtime["pid"]), "this was left behind by another daemon"
        return runtime

    def get(self, path: str, **parameters: str) -> Any:
        """The JSON answer."""
        runtime = self.runtime
        try:
            answer = self._session.get(
                runtime["url"] + path,
                params=parameters,
                headers={"Authorization": f"Bearer {runtime['token']}"},
                timeout=_TIMEOUT_S,
            )
        except requests.ConnectionError as error:
            raise AssertionError(f"the daemon does not answer: {error}") from error
        assert answer.status_code == requests.codes.ok, answer.text
        return answer.json()

    def status(self) -> dict[str, Any]:
        """The site now."""
        status: dict[str, Any] = self.get("/api/status")
        return status

    def now(self) -> datetime:
        """The gateway's time."""
        return datetime.fromisoformat(self.status()["now"])

    def wait(self, seconds: float, within_s: float = 60.0) -> None:
        """Until so many seconds have passed on the gateway's clock."""
        end = self.now() + timedelta(seconds=seconds)

        def passed() -> None:
            assert self.now() >= end

        eventually(passed, within_s)

    def states(self) -> dict[str, str]:
        """The health of each device."""
        return {device["name"]: device["state"] for device in self.status()["devices"]}

    def all_well(self) -> None:
        """Fails unless every device is well."""
        assert self.states() == WELL

    def errors(self) -> int:
        """Unhandled errors since the start; what was read until now is on disk after this."""
        now = self.now()
        start = now - timedelta(hours=1)
        totals = self.get("/api/totals", start=start.isoformat(), end=now.isoformat())
        count: int = totals["errors"]
        return count

    def polls(self) -> Polls:
        """How often each device has answered so far."""
        status = self.status()
        counts = {device["name"]: device["polls"] for device in status["devices"]}
        return Polls(datetime.fromisoformat(status["now"]), counts)

    def readings(self, device: str, start: datetime, end: datetime) -> list[datetime]:
        """When the fast sensor of a device was read between two times."""
        sensor, _ = FAST[device]
        rows = self.get("/api/beliefs", sensor=sensor, start=start.isoformat(), end=end.isoformat())
        moments = {row["event_start"] for row in rows if row["belief_time"] == row["event_start"]}
        return sorted(datetime.fromisoformat(moment) for moment in moments)

    def obeyed(self, asset: str, after: datetime | None = None) -> dict[str, Any]:
        """The asset's setpoint, once it was taken and read back (after a moment)."""
        (view,) = (view for view in self.status()["assets"] if view["name"] == asset)
        control: dict[str, Any] | None = view["control"]
        assert control is not None, f"{asset} was never told anything"
        assert control["verified"], control
        assert control["outcome"] in ("applied", "clamped"), control
        assert after is None or datetime.fromisoformat(control["at"]) > after, control
        return control

    def up(self) -> None:
        """Fails unless five devices are live, there is a plan, and the battery follows it."""
        status = self.status()
        states = {device["name"]: device["state"] for device in status["devices"]}
        assert list(states.values()) == ["ok"] * 5, states
        assert status["plan"]["rung"] == "fresh-plan", status["plan"]
        assert status["plan"]["count"] >= 1, status["plan"]
        self.obeyed("battery")
