import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flexedge.domain.asset import Source
from flexedge.gateway.service.statistics import named, told
from flexedge.store import rows
from flexedge.store.archive import Stamp
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.state import State
from flexedge.store.tables.placed import PlacedSensor

NOW = datetime(2026, 4, 14, tzinfo=UTC)
POWER = PlacedSensor("1/power", 1, "power", "kW", timedelta(hours=1), "Asia/Kolkata")


def test_nothing_but_missing_values_has_no_mean(tmp_path: Path) -> None:
    state, archive = State(tmp_path / "state.db"), LocalArchive(tmp_path / "archive", NOW)
    beliefs = Beliefs(archive, state)
    sensor, source = beliefs.register(POWER.sensor), beliefs.source(Source("a", "user"))
    us = rows.micros(NOW)
    archive.commit(
        rows.Readings.empty(),
        rows.Beliefs.of({"sensor": [sensor], "source": [source], "event_us": [us],
                         "belief_us": [us], "probability": [0.5], "value": [math.nan]}),
        Stamp("", 0, trusted=True),
    )  # fmt: skip
    found = told(beliefs, POWER, None, None)[source]
    beliefs.close()
    state.close()
    assert found["Last event end"] == "2026-04-14T06:30:00+05:30"
    assert [found[name] for name in ("Min value", "Mean value", "Sum over values")] == [None] * 3
    assert found["Number of values"] == 1


def test_a_source_is_named_with_its_number() -> None:
    assert named(3, Source("Seita", "forecaster", "naive", "1.2")) == (
        "Seita's naive forecaster v1.2 (ID: 3)")  # fmt: skip
