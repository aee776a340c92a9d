from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.domain.asset import Knowable
from flexedge.errors import BadField
from flexedge.gateway.service.values_in import SCHEMA, Target, beliefs_of, demand_kind
from flexedge.store.rows import Beliefs, micros, moment
from flexedge.store.tables.placed import PlacedSensor
from flexedge.wire.data import Posted

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
START = datetime(2026, 4, 14, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


def rows(
    values: Any,
    duration: timedelta,
    placed: PlacedSensor,
    start: datetime = START,
    whole: float | None = None,
    **more: Any,
) -> Beliefs:
    posted = Posted.model_validate(
        {"values": values, "start": start.isoformat(), "duration": duration, "unit": placed.unit}
        | more
    )
    return beliefs_of(posted, Target(5, placed, 7), NOW, whole)


def sensor(
    unit: str = "kW", resolution: timedelta = QUARTER, knowable: Knowable | None = None,
    **attributes: Any,
) -> PlacedSensor:  # fmt: skip
    return PlacedSensor("1/s", 1, "s", unit, resolution, "Europe/Amsterdam", knowable, attributes)


def events(found: Beliefs) -> list[float]:
    """Minutes after the start."""
    return [(one - micros(START)) / 60e6 for one in found.event_us.tolist()]


def test_values_are_rows_of_their_sensor_and_source() -> None:
    found = rows([1, 2, None, 4], HOUR, sensor())
    assert (found.sensor.tolist(), found.source.tolist()) == ([5] * 3, [7] * 3)
    assert (events(found), found.value.tolist()) == ([0, 15, 45], [1, 2, 4])
    assert {moment(one) for one in found.belief_us.tolist()} == {NOW}
    assert set(found.probability.tolist()) == {0.5}


@pytest.mark.parametrize(
    ("unit", "values", "duration", "expected"),
    [
        ("kW", [6.0], HOUR, [6, 6, 6, 6]),
        ("kWh", [6.0], HOUR, [1.5, 1.5, 1.5, 1.5]),
        ("kW", [1, 2, 6, 0, 0, 3], timedelta(minutes=30), [3, 1]),
        ("kWh", [1, 2, 6, 0, 0, 3], timedelta(minutes=30), [9, 3]),
        ("kW", [1, 2, None, None, None, None], timedelta(minutes=30), [1.5]),
        ("kWh", [1, 2, None, 1, 1, 1], timedelta(minutes=30), [3]),
    ],
)
def test_power_is_averaged_and_energy_shared_out(
    unit: str, values: list[float | None], duration: timedelta, expected: list[float]
) -> None:
    assert rows(values, duration, sensor(unit)).value.tolist() == expected


def test_units_are_turned_before_events_are_cut() -> None:
    assert rows([6.0], HOUR, sensor("kW"), unit="kWh").value.tolist() == [6.0] * 4
    assert rows([6.0], HOUR, sensor("kWh"), unit="kW").value.tolist() == [1.5] * 4
    assert rows([20], QUARTER, sensor("K"), unit="°C").value.tolist() == [293.15]
    assert rows([50], QUARTER, sensor("kW"), unit="%", whole=8.0).value.tolist() == [4.0]


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=24), st.sampled_from([5, 15, 30, 60]))
def test_energy_is_conserved_whatever_it_is_posted_as(values: list[float], minutes: int) -> None:
    step = timedelta(minutes=minutes)
    values = (values * 12)[: len(values) // 3 * 3 or 3]
    posted_kwh = sum(values) * (step / HOUR)
    as_power = rows(values, step * len(values), sensor("kW", timedelta(minutes=5)))
    as_energy = rows(values, step * len(values), sensor("kWh", timedelta(minutes=5)), unit="kW")
    assert as_power.value.sum() / 12 == pytest.approx(posted_kwh, abs=1e-6)
    assert as_energy.value.sum() == pytest.approx(posted_kwh, abs=1e-6)


@pytest.mark.parametrize(
    ("start", "count", "minutes", "expected"),
    [
        ("2026-04-14T00:07+00:00", 1, 15, [0]),
        ("2026-04-14T00:05+00:00", 2, 5, [0]),
        ("2026-04-14T00:20+00:00", 1, 60, [15, 30, 45, 60]),
    ],
)
def test_starts_are_brought_down_to_ticks(
    start: str, count: int, minutes: int, expected: list[float]
) -> None:
    found = rows([1] * count, timedelta(minutes=minutes) * count, sensor(),
                 datetime.fromisoformat(start))  # fmt: skip
    assert events(found) == expected


def test_starts_stay_where_the_sensor_says_so() -> None:
    at = START + timedelta(minutes=7)
    kept = sensor(floor_datetimes_to_resolution=False)
    assert events(rows([1, 2], 2 * QUARTER, kept, at)) == [7, 22]
    assert events(rows([1] * 6, 2 * QUARTER, kept, at)) == [7, 22]


def test_days_begin_at_midnight_of_the_offset_that_was_sent() -> None:
    day = sensor(resolution=timedelta(days=1))
    local = datetime.fromisoformat("2026-04-14T05:00+02:00")
    assert events(rows([1], timedelta(days=1), day, local)) == [-120]


def test_a_day_on_which_clocks_are_changed_has_25_hours() -> None:
    night = datetime.fromisoformat("2026-10-25T00:00+02:00")
    found = rows(list(range(25)), timedelta(hours=25), sensor(resolution=HOUR), night)
    ends = moment(int(found.event_us[-1])) + HOUR
    assert ends == datetime.fromisoformat("2026-10-26T00:00+01:00")
    assert len(found) == 25


def test_instants_are_spaced_as_they_are_sent() -> None:
    soc = sensor("kWh", timedelta(0))
    assert events(rows([4.2], timedelta(0), soc)) == [0]
    assert events(rows([1, 2, 3], timedelta(minutes=60), soc)) == [0, 20, 40]
    rounded = sensor("kWh", timedelta(0), frequency="5min")
    assert events(rows([1], timedelta(0), rounded, START + timedelta(minutes=3))) == [5]
    assert events(rows([1], timedelta(0), rounded, START + timedelta(minutes=2))) == [0]


def test_when_it_was_believed() -> None:
    prior = START - HOUR
    early = rows([1, 2], 2 * QUARTER, sensor(), prior=prior.isoformat())
    assert {moment(one) for one in early.belief_us.tolist()} == {prior}
    at_once = rows([1, 2], 2 * QUARTER, sensor(), horizon="PT0H")
    assert (at_once.belief_us - at_once.event_us == 900e6).all()
    late = rows([1], QUARTER, sensor(), horizon="-PT10M")
    assert moment(int(late.belief_us[0])) == START + timedelta(minutes=25)
    both = rows([1], QUARTER, sensor(), horizon="PT0H", prior=prior.isoformat())
    assert moment(int(both.belief_us[0])) == prior
    both = rows([1], QUARTER, sensor(), horizon="PT3H", prior=prior.isoformat())
    assert moment(int(both.belief_us[0])) == START + QUARTER - 3 * HOUR
    known = sensor("EUR/MWh", HOUR, Knowable(days_before=1, hour=13, zone="UTC"))
    price = rows([1], HOUR, known, horizon="PT1H")
    assert moment(int(price.belief_us[0])) == START - 12 * HOUR


@pytest.mark.parametrize(
    ("field", "words", "arguments"),
    [
        (SCHEMA, "Resolution of 0:20:00 is", {"values": [1, 2, 3], "duration": HOUR}),
        (SCHEMA, "Resolution of 0:00:08.571429", {"values": [1] * 7, "duration": HOUR / 60}),
        (SCHEMA, "zero resolution from one value", {"values": [1], "duration": timedelta(0)}),
        (SCHEMA, "multiple instantaneous", {"values": [1, 2], "duration": timedelta(0)}),
        ("duration", "negative", {"values": [1], "duration": -HOUR}),
        ("duration", "600000 at most", {"values": [1], "duration": timedelta(days=9000)}),
        ("start", "between 1900", {"values": [1], "duration": QUARTER,
                                   "start": datetime(1800, 1, 1, tzinfo=UTC)}),
        (SCHEMA, "Required unit for this sensor is kW, got incompatible unit: EUR",
         {"values": [1], "duration": QUARTER, "unit": "EUR"}),
        (SCHEMA, "capacity", {"values": [1], "duration": QUARTER, "unit": "%"}),
        ("values", "too large", {"values": [1e308], "duration": QUARTER, "unit": "PW"}),
        (SCHEMA, "Meter data must lie in the past", {"values": [1], "duration": QUARTER,
         "type": "PostMeterDataRequest", "horizon": "PT1H"}),
        (SCHEMA, "Prognoses must lie in the future", {"values": [1], "duration": QUARTER,
         "type": "PostPrognosisRequest"}),
        (SCHEMA, "energy price", {"values": [1], "duration": QUARTER,
         "type": "PostPriceDataRequest"}),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(field: str, words: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(BadField) as told:
        rows(placed=sensor(), **arguments)
    assert told.value.path == field
    assert words in told.value.message


def test_parts_of_an_amount_are_all_sent_or_none() -> None:
    with pytest.raises(BadField, match="all 4 parts"):
        rows([1], QUARTER, sensor("kWh", HOUR))
    assert rows([1], QUARTER, sensor("kW", HOUR)).value.tolist() == [1]


def test_obsolete_types_go_with_units() -> None:
    demand_kind("GetPriceDataRequest", "cEUR/kWh")
    demand_kind("PostMeterDataRequest", "kWh")
    with pytest.raises(BadField, match="MW"):
        demand_kind("GetMeterDataRequest", "EUR")
    assert np.isfinite(rows([1], QUARTER, sensor("EUR/MWh"), type="PostPriceDataRequest").value[0])
