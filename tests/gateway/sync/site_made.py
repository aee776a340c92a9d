"""A state and an archive in a folder; the values of two sensors say which minute they are of."""

from datetime import timedelta
from pathlib import Path

import numpy as np

from flexedge.domain.asset import Sensor, Source
from flexedge.gateway.sync.outbox import Outbox
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.rows import Readings
from flexedge.store.state import State
from flexedge.store.tables.centres import Centre, Link
from tests.store.local.rows_made import NOW, SECOND, STAMP

MINUTE = 60 * SECOND
POWER = Sensor("battery.power", "kW", timedelta(minutes=1))
PRICE = Sensor("price", "EUR/kWh", timedelta(minutes=1))
MEASURED = Source("measured", "sensor")
CENTRE = "main"


class Site:
    """With one centre, whose number is 1."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.state = State(folder / "state.db")
        self.archive = LocalArchive(folder, NOW)
        self.beliefs = Beliefs(self.archive, self.state)
        self.power = self.beliefs.register(POWER)
        self.price = self.beliefs.register(PRICE)
        if not self.state.centres.all():
            centre = Centre(CENTRE, "https://ems.example.org", 1, "site", "", NOW, [])
            self.state.centres.add(centre)
        self.outbox = Outbox(self.state, self.beliefs)

    def link(self, role: str = "", *, price: bool = False) -> Link:
        """Of the battery's power, or of the price."""
        return Link(1, "sensor", self.price if price else self.power, 17, role)

    def say(
        self, n: int, start: int = 0, source: Source = MEASURED, *, price: bool = False
    ) -> list[float]:
        """Keep values of so many minutes; returns them."""
        event = np.arange(start, start + n) * MINUTE
        rows = Rows.of({
            "sensor": np.full(n, self.price if price else self.power),
            "source": np.full(n, self.beliefs.source(source)), "event_us": event,
            "belief_us": event + MINUTE, "probability": np.full(n, 0.5),
            "value": np.arange(start, start + n),
        })  # fmt: skip
        self.archive.commit(Readings.empty(), rows, STAMP)
        return [float(one) for one in range(start, start + n)]

    def again(self) -> "Site":
        """As after a restart."""
        self.close()
        return Site(self.folder)

    def close(self) -> None:
        """Let go of the folder."""
        self.beliefs.close()
        self.state.close()
