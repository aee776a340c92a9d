"""What a site and its centre are in these proofs: the simulated site, its gateway, the server."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hil.gateway import Gateway
from hil.interop.centre import ACCOUNT, EMAIL, PASSWORD, Centre, User
from hil.interop.sides import Side
from hil.programs import Site, run
from hil.waiting import eventually

HOUR = timedelta(hours=1)
_PRICES = "import: {file:"
_RULES = """
centres:
  main:
    send-every: $every
    plans-every: $plans
    poll: 2 min
    accept:
      flex-model: [soc-min]
      confirm-within: 5 min
"""


def price(hour: int) -> float:
    """EUR/MWh by hour of the day: cheap at night, dear in the evening."""
    return 450.0 if 16 <= hour < 21 else 120.0 if hour < 6 else 250.0


@dataclass
class Market:
    """A price sensor at the centre, which its operator keeps."""

    user: User
    sensor: int

    @classmethod
    def at(cls, user: User) -> "Market":
        """Make it."""
        account = user.ask("GET", "/api/v3_0/accounts")[0]["id"]
        asset = user.ask("POST", "/api/v3_0/assets", {
            "name": "Market", "generic_asset_type_id": 6, "account_id": account})  # fmt: skip
        sensor = user.ask("POST", "/api/v3_0/sensors", {
            "name": "day-ahead", "unit": "EUR/MWh", "event_resolution": "PT1H",
            "generic_asset_id": asset["id"], "timezone": "Europe/Amsterdam"})  # fmt: skip
        return cls(user, sensor["id"])

    def tell(self, start: datetime, hours: int, more: float = 0.0) -> None:
        """Prices from a full hour on."""
        begin = start.replace(minute=0, second=0, microsecond=0)
        values = [price((begin + n * HOUR).hour) + more for n in range(hours)]
        self.user.ask("POST", f"/api/v3_0/sensors/{self.sensor}/data", {
            "values": values, "start": begin.isoformat(), "duration": f"PT{hours}H",
            "unit": "EUR/MWh"})  # fmt: skip


class House:
    """A gateway whose import price and whose battery's schedule come from the centre."""

    def __init__(self, folder: Path, centre: Centre, market: Market) -> None:
        self.folder, self.centre, self.market = folder, centre, market
        (folder / "password").write_text(PASSWORD + "\n", encoding="utf-8")
        self.gateway: Gateway | None = None

    @contextmanager
    def lives(
        self, *arguments: str, send_every: str = "5 min", plans_every: str = "1 h",
        planner: str = "central-then-local",
    ) -> Iterator[Gateway]:  # fmt: skip
        """The simulated site and the gateway run, on what they left behind the last time."""
        with ExitStack() as stack:
            site = Site(self.folder, *arguments)
            stack.callback(site.program.clear)
            self.gateway = gateway = Gateway(self.folder, site)
            stack.callback(gateway.clear)
            rules = _RULES.replace("$every", send_every).replace("$plans", plans_every)
            self._rewrite(self.folder / "site.yaml", rules, planner)
            gateway.start()
            eventually(gateway.api.all_well, 60.0)
            yield gateway
        self.gateway = None

    def _rewrite(self, path: Path, rules: str, planner: str) -> None:
        """Let the bench's site file say what is the centre's here."""
        lines = path.read_text(encoding="utf-8").splitlines()
        there = f"{{centre: main, sensor: {self.market.sensor}, unit: EUR/MWh, every: 1 min}}"
        lines = [f"  import: {there}" if _PRICES in line else line for line in lines]
        at = lines.index("  battery:") + 1
        lines.insert(at, f"    planner: {planner}")
        path.write_text("\n".join(lines) + rules, encoding="utf-8")

    def command(self, *arguments: str, within_s: float = 120.0, code: int = 0) -> str:
        """What one command of the installed program prints."""
        assert self.gateway is not None
        done = run(arguments, self.folder, self.gateway.variables, within_s)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def link(self, *more: str) -> str:
        """Link with the centre, as an installer would."""
        return self.command("link", self.centre.url, "--email", EMAIL, "--password-file",
                            "password", "--account", ACCOUNT, *more)  # fmt: skip

    def sync(self) -> Mapping[str, Any]:
        """How things stand with the centre."""
        assert self.gateway is not None
        standing: Mapping[str, Any] = self.gateway.api.get("/api/v3_0/gateway/sync")["centres"][0]
        return standing

    def edits(self) -> dict[str, Any]:
        """What became of edits, by field."""
        told = self.sync()["edits"]
        return {one["field"]: one for one in told}

    def in_step(self) -> None:
        """Fails unless all that there is has arrived at the centre."""
        standing = self.sync()
        assert standing["contact"] == "in-touch", standing["words"]
        assert standing["waiting"] == 0, standing["words"]
        assert not standing["refused"], standing["words"]

    def sides(self) -> tuple[Side, Side]:
        """The gateway, and its centre."""
        assert self.gateway is not None
        user = self.market.user
        return Side(self.gateway.api.get), Side(
            lambda path, **query: user.ask("GET", path, **query)
        )


def assets_of(user: User) -> dict[str, Any]:
    """The assets at the centre, by name."""
    found = user.ask("GET", "/api/v3_0/assets", all_accessible="true", include_public="false")
    return {one["name"]: one for one in (found["data"] if isinstance(found, dict) else found)}


def parsed(text: Any) -> Any:
    """JSON in a text, as FlexMeasures tells flex-models."""
    return json.loads(text) if isinstance(text, str) else text


def utc_now() -> datetime:
    """The wall's, for a site that shall live near it."""
    return datetime.now(UTC)
