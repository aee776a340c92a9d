"""A gateway's store and a central flexedge, linked: what goes up is compared on both sides."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from flexedge.cloud.central import Central
from flexedge.cloud.keys import Key, KeyFile
from flexedge.cloud.pace import Pace
from flexedge.config.centre import SCOPES, CentreRules
from flexedge.domain.asset import Sensor, Source
from flexedge.errors import CentreAway
from flexedge.gateway.health import Health
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.outbox import LIVE, Outbox
from flexedge.gateway.sync.sizes import MOST, Sizes
from flexedge.gateway.sync.unwanted import to_try
from flexedge.gateway.sync.upload import Upload
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.rows import micros
from flexedge.store.state import State
from flexedge.store.tables.centres import Centre, Link
from flexedge.wire.shape import duration_text
from tests.api.served import PASSWORD, USER, Served

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FIVE = 5 * MINUTE
MEASURED = Source("measured", "sensor")
FORECASTER = Source("flexedge-forecast", "forecaster")
SCHEDULER = Source("flexedge", "scheduler")
ALL = CentreRules(plans_every=timedelta(0))
"""Nothing that was believed is left out."""
Row = tuple[datetime, datetime, float]
"""Event, belief time and value."""
_STEPS = 2000
_TOKENS: dict[str, str] = {}
"""By server."""


@dataclass
class Both:
    """Our side, and what is needed to look at the other one."""

    folder: Path
    served: Served
    url: str
    """Where the centre seems to be: the server itself, or a road to it."""
    rules: CentreRules = field(default_factory=lambda: ALL)
    now: datetime = NOW
    live: int = LIVE
    most: int = MOST
    """Rows that are live, and values in one request, at most."""

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        if self.served.url not in _TOKENS:  # a password takes time to be checked
            _TOKENS[self.served.url] = self.served.token()
        self.token = _TOKENS[self.served.url]
        self.state = State(self.folder / "state.db")
        self.beliefs = Beliefs(LocalArchive(self.folder, NOW), self.state)
        centre = Centre("main", self.url, 1, "Toy Account", USER, NOW, list(SCOPES))
        known = self.state.centres.find(name="main")
        self.number = next(iter(known), None) or self.state.centres.add(centre)
        self.begin()

    def begin(self) -> None:
        """Begin to send, knowing nothing but what is kept."""
        keys = KeyFile(self.folder, "main", None)
        keys.write(Key(USER, PASSWORD, self.token, self.now))
        self.health = Health()
        budget = self.rules.budget_kb_per_min
        self.pace = Pace(10_000, Random(1), budget)  # noqa: S311 (chance of a test)
        central = Central("main", self.url, keys, lambda: self.now, self.pace)
        centre = self.state.centres.all()[self.number]
        self.linked = Linked(self.number, centre, self.rules, central)
        self.outbox = Outbox(self.state, self.beliefs)
        sizes = Sizes(self.most, self.most, self.live)
        self.upload = Upload(
            self.linked, self.state, self.beliefs, self.outbox, self.health, sizes
        )  # fmt: skip

    def close(self) -> None:
        """Let go of our side."""
        self.linked.central.close()
        self.beliefs.close()
        self.state.close()

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """What the centre answers."""
        answer = self.served.ask(method, path, self.token, **more)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def asset(self, name: str) -> int:
        """An asset at the centre."""
        fields = {"name": name, "generic_asset_type_id": 1, "account_id": 1}
        return int(self.ask("POST", "/assets", json=fields)["id"])

    def link(
        self, asset: int, sensor: Sensor, role: str = "", resolution: timedelta | None = None
    ) -> Link:
        """Make a sensor on both sides."""
        there = sensor.resolution if resolution is None else resolution
        name = f"{sensor.name} {role}".strip()
        number = self.ask("POST", "/sensors", json={
            "name": name, "unit": sensor.unit, "generic_asset_id": asset,
            "event_resolution": duration_text(there) if there else "PT0M", "timezone": "UTC",
        })["id"]  # fmt: skip
        ours = self.beliefs.register(sensor)
        link = Link(
            self.number, "sensor", ours, int(number), role, True,
            {"unit": sensor.unit, "resolution": there.total_seconds()},
        )  # fmt: skip
        self.state.links.add(link)
        return link

    def keep(self, sensor: Sensor, source: Source, rows: Sequence[Row]) -> None:
        """Let a source believe something here."""
        n = len(rows)
        made = Rows.of({
            "sensor": [self.beliefs.register(sensor)] * n,
            "source": [self.beliefs.source(source)] * n,
            "event_us": [micros(event) for event, _, _ in rows],
            "belief_us": [micros(belief) for _, belief, _ in rows],
            "probability": [0.5] * n, "value": [value for _, _, value in rows],
        })  # fmt: skip
        self.beliefs.post(made)

    def step(self) -> datetime:
        """One step; away is as the runner has it, but time is not waited for."""
        try:
            return self.upload.step(self.linked, self.now)
        except CentreAway as away:
            self.now = max(self.now, self.pace.failed(away, self.now))
            return self.now

    def settle(self) -> int:
        """Step until there is nothing more to do; how many steps that took."""
        for n in range(_STEPS):
            due = self.step()
            if due > self.now and not self.waiting and not to_try(self.state, self.number):
                return n
            self.now = max(self.now, due)
        raise AssertionError("it never ends")

    @property
    def waiting(self) -> bool:
        """Whether something has not arrived."""
        return any(one.count for one in self.outbox.waiting(*self.links.values()))

    @property
    def links(self) -> dict[int, Link]:
        """The sensors that are linked."""
        return dict(self.state.links.find(thing="sensor"))

    def there(
        self,
        link: Link,
        start: datetime,
        n: int,
        prior: datetime | None = None,
        step: timedelta = FIVE,
    ) -> list[float | None]:
        """What the centre says of a sensor, as of a moment."""
        query: dict[str, Any] = {
            "start": start.isoformat(), "duration": duration_text(step * n),
            "unit": str(link.details["unit"]), "resolution": duration_text(step),
        }  # fmt: skip
        if prior is not None:
            query["prior"] = prior.isoformat()
        told = self.ask("GET", f"/sensors/{link.central_id}/data", params=query)
        return list(told["values"])

    def count(self, link: Link) -> int:
        """How many beliefs the centre has of a sensor."""
        told = self.ask("GET", f"/sensors/{link.central_id}/stats")
        return sum(int(one["Number of values"]) for one in told.values() if isinstance(one, dict))


@contextmanager
def both(folder: Path, served: Served, url: str = "", **more: Any) -> Iterator[Both]:
    """Our side of a link with a centre. ``url``: where that seems to be, if elsewhere."""
    ours = Both(folder, served, url or served.url, **more)
    try:
        yield ours
    finally:
        ours.close()
