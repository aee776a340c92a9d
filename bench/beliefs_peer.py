"""FlexMeasures' own storage: timely-beliefs on PostgreSQL. URL, rows and rounds as arguments.

Runs in an environment in which FlexMeasures 1.0.1 is installed, without flexedge, server or
Flask: only the two calls its API ends in, ``add_to_session`` with bulk saving and
``search_session``. What FlexMeasures does before and after (parsing, looking for unchanged beliefs,
serialising) is not in the time. Seconds to save and to read come out as JSON.
"""

import json
import sys
from datetime import datetime, timedelta, timezone
from time import perf_counter

import numpy as np
import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]
import sqlalchemy as sa
import timely_beliefs as tb  # type: ignore[import-not-found,import-untyped,unused-ignore]
from sqlalchemy.orm import Session
from timely_beliefs.db_base import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
    Base,
)

_START = datetime(2025, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 (as old Pythons say it)
_STEP = timedelta(minutes=5)


def main(url: str, year: int, batch: int, rounds: int) -> None:
    """Save a year in batches, and read it."""
    engine = sa.create_engine(url)
    Base.metadata.create_all(engine)
    save: list[float] = []
    read: list[float] = []
    with Session(engine) as session:
        sensor = tb.DBSensor("power", unit="kW", event_resolution=_STEP)
        source = tb.DBBeliefSource("forecaster")
        session.add_all([sensor, source])
        session.commit()
        for at in range(0, year, batch):
            frame = _frame(sensor, source, at, min(batch, year - at))
            began = perf_counter()
            tb.DBTimedBelief.add_to_session(session, frame, bulk_save_objects=True)
            session.commit()
            save.append(perf_counter() - began)
        session.execute(sa.text("analyze"))
        session.commit()
        for _ in range(rounds):
            began = perf_counter()
            found = tb.DBTimedBelief.search_session(
                session, sensor, event_starts_after=_START,
                event_ends_before=_START + _STEP * year, most_recent_beliefs_only=True,
            )  # fmt: skip
            read.append(perf_counter() - began)
            if len(found) != year:
                raise SystemExit(f"{len(found)} beliefs came back of {year}")
    print(json.dumps({"save": save, "read": read}))


def _frame(sensor: object, source: object, first: int, n: int) -> object:
    index = pd.date_range(_START + _STEP * first, periods=n, freq=_STEP)
    series = pd.Series(np.arange(first, first + n) / 8, index=index)
    horizon = timedelta(hours=1)
    return tb.BeliefsDataFrame(series, sensor=sensor, source=source, belief_horizon=horizon)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
