import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flexedge.domain.asset import Sensor, Source
from flexedge.errors import BadField
from flexedge.gateway.service.values_out import MOST_STEPS, frame, read
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.rows import micros
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor
from flexedge.wire.data import Asked

START = datetime(2026, 4, 14, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
QUARTER = 15 * MINUTE
HOUR = timedelta(hours=1)
ANN = Source("ann", "user", account="1")
OLD = Source("flexedge", "forecaster", "sun", "1.9")
NEW = Source("flexedge", "forecaster", "sun", "1.10")


class Store:
    """Time series of sensors of one asset."""

    def __init__(self, folder: Path) -> None:
        self.state = State(folder / "state.db")
        self.beliefs = Beliefs(LocalArchive(folder / "data", START), self.state)
        self.asset = self.state.assets.add(Asset("house", "building"))
        self.examples = 0

    def sensor(self, unit: str = "kW", resolution: timedelta = QUARTER) -> PlacedSensor:
        sensor = Sensor(f"{unit} {resolution}", unit, resolution)
        number = self.beliefs.register(sensor)
        self.state.placed.place(number, self.asset, sensor.name, "UTC", {})
        placed = self.state.placed.get(number)
        assert placed is not None
        return placed

    def say(
        self, placed: PlacedSensor, values: list[float], source: Source = ANN,
        believed: datetime = START, start: datetime = START, step: timedelta | None = None,
    ) -> None:  # fmt: skip
        n, every = len(values), step or placed.resolution
        made = Rows(
            np.full(n, self.beliefs.register(placed.sensor), np.int32),
            np.full(n, self.beliefs.source(source), np.int32),
            micros(start) + np.arange(n, dtype=np.int64) * (every // timedelta(microseconds=1)),
            np.full(n, micros(believed), np.int64),
            np.full(n, 0.5),
            np.array(values, np.float64),
        )
        self.beliefs.post(made.take(~np.isnan(made.value)), overwriting=False)

    def read(
        self, placed: PlacedSensor, duration: timedelta, unit: str | None = None,
        start: datetime = START, **more: Any,
    ) -> list[float | None]:  # fmt: skip
        unit = placed.unit if unit is None else unit
        asked = Asked.model_validate(
            {"start": start.isoformat(), "duration": duration, "unit": unit} | more
        )
        told = read(asked, placed, self.state, self.beliefs, unit)
        return [None if math.isnan(one) else one for one in told.values.tolist()]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.beliefs.close()
    store.state.close()


def test_gaps_are_gaps(store: Store) -> None:
    power = store.sensor()
    store.say(power, [1, math.nan, 3])
    assert store.read(power, HOUR) == [1, None, 3, None]
    assert store.read(power, 2 * QUARTER, start=START - QUARTER) == [None, 1]
    assert store.read(power, timedelta(0)) == []


def test_the_most_recent_belief_counts_and_what_was_known_then_can_be_asked(store: Store) -> None:
    power = store.sensor()
    store.say(power, [1, 1], believed=START - HOUR)
    store.say(power, [2], believed=START + HOUR)
    assert store.read(power, 2 * QUARTER) == [2, 1]
    assert store.read(power, 2 * QUARTER, prior=START.isoformat()) == [1, 1]
    assert store.read(power, 2 * QUARTER, horizon="PT0M") == [1, 1]
    assert store.read(power, 2 * QUARTER, type="GetMeterDataRequest") == [2, None]
    assert store.read(power, 2 * QUARTER, type="GetPrognosisRequest", horizon="-PT5H") == [1, 1]
    assert store.read(power, 2 * QUARTER, horizon="PT1H20M") == [None, 1]


def test_of_several_sources_the_newest_version_then_the_latest_counts(store: Store) -> None:
    power = store.sensor()
    store.say(power, [1, 1, 1], OLD, START + 3 * HOUR)
    store.say(power, [2, 2], NEW, START + HOUR)
    store.say(power, [3, math.nan, math.nan, 3], ANN, START + 4 * HOUR)
    assert store.read(power, HOUR) == [2, 2, 1, 3]
    number = store.beliefs.source(OLD)
    assert store.read(power, HOUR, source=number) == [1, 1, 1, None]
    assert store.read(power, HOUR, source_type="user") == [3, None, None, 3]


def test_sources_of_an_account(store: Store) -> None:
    power = store.sensor()
    account = store.state.accounts.add(Account("home"))
    store.say(power, [1], Source("ann", "user", account=str(account)))
    store.say(power, [2], Source("ben", "user", account="99"), START + HOUR)
    assert store.read(power, QUARTER, source_account=account) == [1]


@pytest.mark.parametrize(
    ("unit", "asked", "step", "expected"),
    [
        ("kW", "kW", HOUR, [2.5, 6.0]),
        ("kW", "MW", HOUR, [0.0025, 0.006]),
        ("kWh", "kWh", HOUR, [10.0, None]),
        ("kWh", "kW", HOUR, [10.0, 24.0]),
        ("kW", "kWh", HOUR, [2.5, None]),
        ("kWh", "kWh", 5 * MINUTE, [1 / 3] * 3 + [2 / 3] * 3),
        ("kW", "kW", 5 * MINUTE, [1.0] * 3 + [2.0] * 3),
        ("kW", "kWh", 5 * MINUTE, [1 / 12] * 3 + [2 / 12] * 3),
    ],
)
def test_other_units_and_resolutions(
    store: Store, unit: str, asked: str, step: timedelta, expected: list[float | None]
) -> None:
    placed = store.sensor(unit)
    store.say(placed, [1, 2, 3, 4, 5, 7])
    found = store.read(placed, step * len(expected), asked, resolution=step)
    assert found == [None if one is None else pytest.approx(one) for one in expected]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(values=st.lists(st.floats(-1e3, 1e3), min_size=24, max_size=24))
def test_energy_is_the_same_in_every_resolution(store: Store, values: list[float]) -> None:
    placed = store.sensor("kW", 5 * MINUTE)
    store.examples += 1
    store.say(placed, values, believed=START + store.examples * MINUTE)
    for minutes in (1, 5, 15, 30, 60, 120):
        step = minutes * MINUTE
        kwh = [one or 0.0 for one in store.read(placed, 2 * HOUR, "kWh", resolution=step)]
        assert sum(kwh) == pytest.approx(sum(values) / 12, abs=1e-6)


def test_starts_are_brought_down_to_events(store: Store) -> None:
    power = store.sensor()
    store.say(power, [1, 2, 3, 4])
    assert store.read(power, 2 * QUARTER, start=START + 7 * MINUTE) == [1, 2]
    at = START + 10 * MINUTE
    assert store.read(power, QUARTER, start=at, resolution=5 * MINUTE) == [1, 2, 2]


def test_instants_are_told_where_they_fall_on_ticks(store: Store) -> None:
    soc = store.sensor("kWh", timedelta(0))
    store.say(soc, [1, 2, 3], step=10 * MINUTE)
    assert store.read(soc, 25 * MINUTE) == [1, None, 2, None, 3]
    assert store.read(soc, 30 * MINUTE, resolution=QUARTER) == [1, None]
    at = START + timedelta(seconds=7)
    store.say(soc, [9], start=at)
    assert store.read(soc, QUARTER, start=at, resolution=QUARTER) == [9]


@pytest.mark.parametrize(
    ("hours", "minutes"), [(8, 5), (9, 15), (49, 60), (15 * 24, 1440), (17 * 7 * 24, 7 * 1440)]
)
def test_the_resolution_of_instants_goes_with_the_length(
    store: Store, hours: int, minutes: int
) -> None:
    asked = Asked.model_validate(
        {"start": START.isoformat(), "duration": timedelta(hours=hours), "unit": "kWh"}
    )
    assert frame(asked, store.sensor("kWh", timedelta(0))).resolution == minutes * MINUTE


@pytest.mark.parametrize(
    ("field", "words", "arguments"),
    [
        ("resolution", "0:20:00 is incompatible", {"resolution": 20 * MINUTE}),
        ("resolution", "above zero", {"resolution": "PT0M"}),
        ("resolution", "above zero", {"resolution": "-PT15M"}),
        ("duration", f"{MOST_STEPS} at most", {"resolution": timedelta(milliseconds=1)}),
        ("duration", "negative", {"duration": -HOUR}),
        ("start", "between 1900", {"start": datetime(2300, 1, 1, tzinfo=UTC)}),
        ("source", "No data source found with id 99.", {"source": 99}),
        ("source-account", "No account found with ID 99.", {"source_account": 99}),
        ("source-type", "'reporter' has recorded any data", {"source_type": "reporter"}),
        ("_schema", "got incompatible unit: EUR", {"unit": "EUR"}),
        ("_schema", "capacity", {"unit": "%"}),
        ("_schema", "energy price", {"type": "GetPriceDataRequest"}),
    ],
)
def test_what_cannot_be_answered_is_refused(
    store: Store, field: str, words: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(BadField) as told:
        store.read(store.sensor(), **{"duration": HOUR} | arguments)
    assert told.value.path == field
    assert words in told.value.message


def test_an_end_does_for_a_duration(store: Store) -> None:
    power = store.sensor()
    end = (START + HOUR).isoformat()
    question = {"start": START.isoformat(), "unit": "kW"}
    assert frame(Asked.model_validate(question | {"end": end}), power).n == 4
    for more in ({}, {"end": end, "duration": HOUR}):
        with pytest.raises(BadField, match="duration"):
            frame(Asked.model_validate(question | more), power)
