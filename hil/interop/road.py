"""A gateway of the simulated site, linked with a centre of our own behind a bad road."""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hil.conftest import make_bench
from hil.gateway import Gateway
from hil.interop.edges import EMAIL, Edge
from hil.interop.proxy import Proxy
from hil.interop.sides import Row, Side, Window, compare
from hil.programs import run
from hil.waiting import eventually

PATIENCE_S = 300.0
_UP_S = 120.0
_RULES = """
centres:
  main:
    {send-every: 15 min, plans-every: 0 min, poll: 2 min, heartbeat: 5 min, requests-per-min: 2000}
"""


@dataclass(frozen=True)
class Road:
    """A gateway that is linked with a centre behind a bad road."""

    gateway: Gateway
    centre: Edge
    proxy: Proxy
    begin: datetime

    def standing(self) -> dict[str, Any]:
        told: dict[str, Any] = self.gateway.api.get("/api/v3_0/gateway/sync")["centres"][0]
        return told

    def command(self, *words: str) -> str:
        done = run(words, self.gateway.folder, self.gateway.variables, _UP_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def in_touch(self) -> None:
        """Fails unless the centre answers, and everything has been sent to it once."""
        standing = self.standing()
        assert standing["contact"] == "in-touch", standing["words"]
        uploads = [one for one in standing["duties"] if one["name"] == "upload"]
        assert all(one["counts"]["values"] for one in uploads), standing["words"]
        assert not any(one["paused"] for one in standing["sensors"]), standing["words"]

    def compared(self, end: datetime) -> list[Row]:
        """All sensors on both sides, from the beginning of the site until then."""
        ours = Side(self.gateway.api.get)
        theirs = Side(lambda path, **query: self.centre.ask("GET", path, **query))
        return compare(ours, theirs, Window(self.begin, end))

    def same(self, end: datetime) -> list[Row]:
        """Fails unless the centre knows all that is known here of what was until then."""
        rows = self.compared(end)
        wrong = [row for row in rows if not row.complete]
        assert rows
        assert not wrong, "\n".join(map(str, wrong))
        return rows


def make_road(stack: ExitStack, folder: Path, *arguments: str) -> Road:
    """All of it, linked, and in step."""
    (folder / "site").mkdir()
    centre = Edge(folder / "centre", "Fleet")
    stack.callback(centre.clear)
    centre.start()
    bench = make_bench(stack, folder / "site", *arguments)
    path = Path(bench.gateway.variables["FLEXEDGE_SITE"])
    path.write_text(path.read_text(encoding="utf-8") + _RULES, encoding="utf-8")
    (folder / "site/password").write_bytes((folder / "centre/password").read_bytes())
    bench.gateway.start_up(_UP_S)
    eventually(centre.up, _UP_S)
    proxy = Proxy(centre.port)
    stack.callback(proxy.close)
    road = Road(bench.gateway, centre, proxy, full(bench.gateway.api.now()))
    road.command("link", proxy.url, "--email", EMAIL, "--password-file", "password", "--yes")
    road.command("sync", "now")
    eventually(road.in_touch, PATIENCE_S)
    return road


def full(moment: datetime) -> datetime:
    """The last full quarter of an hour."""
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
