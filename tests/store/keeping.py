"""A data folder with something in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np

from flexedge.domain.asset import Sensor, Source
from flexedge.store import beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.rows import EPOCH, Beliefs, Readings
from flexedge.store.state import State
from tests.store.local.rows_made import SECOND, STAMP

POWER = Sensor("battery.power", "kW", timedelta(minutes=5))
PRICE = Sensor("price", "EUR/kWh", timedelta(hours=1))
SOURCE = Source("it's a forecaster", "forecaster")
HOUR = timedelta(hours=1)


@contextmanager
def opened(folder: Path) -> Iterator[tuple[LocalArchive, State, beliefs.Beliefs]]:
    """All that is in a folder."""
    folder.mkdir(exist_ok=True)
    state = State(folder / "state.db")
    archive = LocalArchive(folder, EPOCH)
    facade = beliefs.Beliefs(archive, state)
    try:
        yield archive, state, facade
    finally:
        facade.close()
        state.close()


def fill(folder: Path, hours: int = 3) -> None:
    """Readings every ten seconds from 1970 on, in files of an hour; the last hour is in the
    journal. Sensor 1 is the power; beliefs are about the price.
    """
    with opened(folder) as (archive, _, facade):
        number, price = facade.register(POWER), facade.register(PRICE)
        source = facade.source(SOURCE)
        for hour in range(hours):
            at = np.arange(360) * 10 + hour * 3600
            readings = Readings.of({"sensor": np.full(360, number), "event_us": at * SECOND,
                                    "value": at / 8, "quality": np.zeros(360)})  # fmt: skip
            event, belief = [hour * 3600 * SECOND] * 2, [-SECOND] * 2
            held = Beliefs.of({"sensor": [price] * 2, "source": [source] * 2, "event_us": event,
                               "belief_us": belief, "probability": [0.1, 0.5],
                               "value": [hour / 10, hour / 4]})  # fmt: skip
            archive.commit(readings, held, STAMP)
            if hour < hours - 1:
                archive.maintain(EPOCH + (hour + 1) * HOUR)
