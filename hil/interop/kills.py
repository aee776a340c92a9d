"""``python -m hil.interop.kills``: a catch-up during which either side is killed again and again.

A gateway without a site holds weeks of readings; a centre, another flexedge, is linked and gets
them. While it does, one of the two is killed at a moment that chance picks, started anew, and so
on. Where all has arrived before the kills are used up, the centre's part is deleted and it begins
again. Each round ends with both sides compared: every belief counted, every value equal.
"""

import argparse
import json
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import requests

from hil.interop.edges import EMAIL, PASSWORD, Edge, Usage
from hil.interop.sides import Row, Side, Window, compare
from hil.waiting import eventually

DAY: Final = timedelta(days=1)
BEGIN: Final = datetime(2026, 9, 1, tzinfo=UTC)
_PER_DAY: Final = 1440
_PER_POST: Final = 3
"""Days."""
_PATIENCE_S: Final = 1800.0
_STALL_S: Final = 300.0
_LONGEST_S: Final = 4.0
"""Between an attack's being ready and the kill."""


@dataclass
class Catching:
    """What is to be caught up, and both sides of it."""

    gateway: Edge
    centre: Edge
    sensors: int
    days: int
    kills: dict[str, int] = field(default_factory=lambda: {"gateway": 0, "centre": 0})
    peak_mb: float = 0.0
    cpu_s: float = 0.0

    @property
    def values(self) -> int:
        """All that there are."""
        return self.sensors * self.days * _PER_DAY

    def fill(self) -> None:
        """Let the gateway know all of it, as measured when it was over."""
        with _user(self.gateway) as user:
            asset = user("POST", "/assets", {
                "name": "Site", "generic_asset_type_id": 1, "account_id": 1})["id"]  # fmt: skip
            for n in range(self.sensors):
                sensor = user("POST", "/sensors", {
                    "name": f"power {n:02}", "unit": "kW", "event_resolution": "PT1M",
                    "generic_asset_id": asset, "timezone": "UTC"})["id"]  # fmt: skip
                for first in range(0, self.days, _PER_POST):
                    days = min(_PER_POST, self.days - first)
                    user("POST", f"/sensors/{sensor}/data", {
                        "start": (BEGIN + first * DAY).isoformat(), "unit": "kW",
                        "duration": f"P{days}D", "horizon": "PT0M",
                        "values": _readings(n, first, days)})  # fmt: skip
        eventually(self._filled, _PATIENCE_S)

    def _filled(self) -> None:
        side, window = _side(self.gateway), self.window
        counts = [sum(side.beliefs(one["id"], window).values()) for one in side.sensors().values()]
        assert sum(counts) == self.values, f"{sum(counts)} of {self.values}"

    @property
    def window(self) -> Window:
        """All events."""
        return Window(BEGIN, BEGIN + self.days * DAY)

    def link(self) -> None:
        """Make all of it at the centre; sending begins with that."""
        self.gateway.command("link", self.centre.url, "--email", EMAIL, "--password-file",
                             "password", "--scopes", "readings", "--yes")  # fmt: skip

    def unlink(self) -> None:
        """Let nothing of it be at the centre; to delete millions takes it longer than an answer."""
        words = ("unlink", "--delete-there", "--yes")
        eventually(lambda: self.gateway.command(*words, within_s=300.0), _PATIENCE_S)

    def hurry(self) -> None:
        """Do not wait for the moment in which a fleet's gateways come one by one."""
        self.gateway.ask("POST", "/api/v3_0/gateway/sync/now", {})

    def waiting(self) -> int:
        """How many values are still to be sent, about."""
        standing = self.gateway.standing()
        return int(standing["waiting"])

    def kill(self, chance: random.Random) -> None:
        """One of the two, now."""
        name = chance.choice(("gateway", "centre"))
        side = {"gateway": self.gateway, "centre": self.centre}[name]
        self.note(self.gateway.usage())
        assert side.program.alive, f"the {name} ended by itself: {side.program.said()[-3000:]}"
        side.kill()
        self.kills[name] += 1
        side.start_up()
        self.hurry()

    def note(self, usage: Usage) -> None:
        """What the gateway has used."""
        self.peak_mb = max(self.peak_mb, usage.peak_mb)

    def arrived(self) -> None:
        """Wait until all has; it must go on all the time."""
        least, never = self.waiting(), threading.Event()
        deadline = time.monotonic() + _STALL_S
        while least:
            never.wait(0.2)
            left = self.waiting()
            if left < least:
                least, deadline = left, time.monotonic() + _STALL_S
            assert time.monotonic() < deadline, self.gateway.standing()["words"]
        self.note(self.gateway.usage())

    def check(self) -> list[Row]:
        """Fails unless both sides are equal and nothing was refused."""
        standing = self.gateway.standing()
        assert standing["refused"] == 0, standing["words"]
        rows = compare(_side(self.gateway), _side(self.centre), self.window)
        wrong = [row for row in rows if not row.complete]
        assert not wrong, "\n".join(str(row)[:300] for row in wrong)
        assert sum(row.theirs for row in rows) == self.values
        assert sum(row.known for row in rows) == self.values
        return rows


@contextmanager
def catching(folder: Path, sensors: int, days: int) -> Iterator[Catching]:
    """Both sides, running; all is known on one of them."""
    with ExitStack() as stack:
        edges = []
        for name in ("gateway", "centre"):
            edges.append(Edge(folder / name, name.capitalize()))
            stack.callback(edges[-1].clear)
            edges[-1].start_up()
        made = Catching(edges[0], edges[1], sensors, days)
        made.fill()
        yield made


def undisturbed(one: Catching) -> str:
    """Catch up once without kills; what that took, in words."""
    one.gateway.kill()  # what it needed to be told all of it is not counted
    one.gateway.start_up()
    one.link()
    before, begun = one.gateway.usage(), time.monotonic()
    one.hurry()
    one.arrived()
    took, used = time.monotonic() - begun, one.gateway.usage().cpu_s - before.cpu_s
    one.check()
    return (
        f"{one.values} values in {took:.1f} s: {one.values / took:.0f} values/s with the server and"
        f" the pace; {used:.1f} s of the gateway's processor: {one.values / used:.0f} values/s;"
        f" gateway {before.peak_mb:.0f} MB before, {one.peak_mb:.0f} MB at most"
    )


def killed(one: Catching, kills: int, chance: random.Random) -> Iterator[str]:
    """Catch up as often as it takes for so many kills; a line for each round."""
    never = threading.Event()
    while sum(one.kills.values()) < kills:
        before = dict(one.kills)
        one.unlink()
        one.link()
        one.hurry()
        while sum(one.kills.values()) < kills and one.waiting():
            never.wait(chance.uniform(0.0, _LONGEST_S))
            one.kill(chance)
        one.arrived()
        one.check()
        done = {name: count - before[name] for name, count in one.kills.items()}
        yield f"{done['gateway']} kills of the gateway, {done['centre']} of the centre: equal"


def _side(edge: Edge) -> Side:
    return Side(lambda path, **query: edge.ask("GET", path, **query))


def _readings(sensor: int, first: int, days: int) -> list[float]:
    chance = random.Random(f"{sensor} {first}")  # noqa: S311 (made-up readings)
    return [round(chance.uniform(-5.0, 5.0), 3) for _ in range(days * _PER_DAY)]


@contextmanager
def _user(edge: Edge) -> Iterator[Any]:
    """Asks as the account's head."""
    with requests.Session() as session:
        session.trust_env = False
        who = {"email": EMAIL, "password": PASSWORD}
        answer = session.post(f"{edge.url}/api/requestAuthToken", json=who, timeout=60)
        session.headers["Authorization"] = answer.json()["auth_token"]

        def ask(method: str, path: str, body: Any) -> Any:
            answer = session.request(method, f"{edge.url}/api/v3_0{path}", json=body, timeout=120)
            assert answer.ok, answer.text[:500]
            return answer.json()

        yield ask


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what happens; exit code 0 if every round ended equal."""
    options = argparse.ArgumentParser(prog="python -m hil.interop.kills")
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--sensors", type=int, default=50)
    options.add_argument("--days", type=int, default=30)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--folder", type=Path, help="for both sides' data; it is left there")
    asked = options.parse_args(arguments)
    with ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(TemporaryDirectory()))
        one = stack.enter_context(catching(folder, asked.sensors, asked.days))
        print(undisturbed(one), flush=True)
        for line in killed(one, asked.kills, random.Random(asked.seed)):  # noqa: S311 (repeatable)
            print(line, flush=True)
        print(json.dumps(one.kills), f"gateway {one.peak_mb:.0f} MB at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
