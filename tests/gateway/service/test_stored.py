"""What is stored, as a request asks for it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from flexedge.domain.asset import Source
from flexedge.gateway.service.stored import Stored, mentioned
from flexedge.optim.request.believed import Filter
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.rows import micros
from tests.gateway.service.cases import LONG_AGO, NOW, Planning, planning

AT = datetime(2026, 4, 14, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def here(tmp_path: Path) -> Planning:
    return planning(tmp_path)


def stored(here: Planning, asset: int, said: object = None) -> Stored:
    return Stored(here.state, here.beliefs, asset, said, NOW)


def test_every_sensor_that_is_referred_to_is_found() -> None:
    said = [
        {"sensor": 1, "soc-minima": {"sensor": 2, "default": "0 kWh"}},
        {"inflexible-device-sensors": [3, 4], "consumption-price-sensor": 5,
         "commitments": [{"baseline": {"sensor": "6"}, "sensors": [{"sensor": 7}]}]},
    ]  # fmt: skip
    assert mentioned(said) == {"1", "2", "3", "4", "5", "6", "7"}
    assert mentioned("sensor") == mentioned({"sensor": True}) == set()


def test_an_asset_comes_with_all_above_and_below_it(here: Planning) -> None:
    top = here.asset("top", flex_context={"relax-constraints": False})
    middle = here.asset("middle", parent_id=top)
    low = here.asset("low", parent_id=middle, flex_model={"soc-max": "1 kWh"})
    beside = here.asset("beside", parent_id=top)
    assert set(stored(here, middle).assets) == {str(one) for one in (top, middle, low)}
    assert set(stored(here, top).assets) == {str(one) for one in (top, middle, low, beside)}
    found = stored(here, middle).assets[str(low)]
    assert (found.parent, found.flex_model.at("soc-max")) == (
        str(middle), f"assets.{low}.flex-model.soc-max"
    )  # fmt: skip


def test_sensors_are_called_by_number_or_key(here: Planning) -> None:
    asset = here.asset(attributes={"capacity_in_mw": 1, "x": "asset"})
    number = here.sensor(asset, "power", attributes={"x": "own", "consumption_is_positive": True})
    sensors = stored(here, here.asset("other")).sensors
    for name in (str(number), f"{asset}/power", f"0{number}"):
        one = sensors[name]
        assert (one.name, one.asset, one.unit) == (str(number), str(asset), "kW")
        assert one.attributes == {"capacity_in_mw": 1, "x": "own", "consumption_is_positive": True}
        assert (one.consumption_is_positive, one.asset_type) == (True, "building")
    for name in ("99", "9" * 30, "-1", "", "power", "²"):
        assert name not in sensors
        with pytest.raises(KeyError):
            sensors[name]


def test_of_several_beliefs_the_last_one_counts(here: Planning) -> None:
    asset = here.asset()
    number = here.sensor(asset, "price", "EUR/kWh", HOUR)
    one, other = Source("one", "user", account="1"), Source("other", "forecaster")
    here.save(number, [1, 1, 1], AT, HOUR, one, LONG_AGO)
    here.save(number, [2, 2], AT, HOUR, other, AT - HOUR)
    here.save(number, [3], AT, HOUR, one, AT)
    found = stored(here, asset).points(str(number), None)
    assert found is not None
    assert found.values.tolist() == [3, 2, 1]
    assert (found.starts[0], found.resolution, found.unit) == (AT, HOUR, "EUR/kWh")
    before = stored(here, asset).points(str(number), AT - HOUR)
    assert before is not None
    assert before.values.tolist() == [2, 2, 1]
    for only, values in (
        (Filter(names=frozenset({"one"})), [3, 1, 1]),
        (Filter(names=frozenset({str(here.beliefs.source(other))})), [2, 2]),
        (Filter(accounts=frozenset({"1"})), [3, 1, 1]),
        (Filter(not_kinds=frozenset({"user"})), [2, 2]),
    ):  # fmt: skip
        told = stored(here, asset).points(str(number), None, only)
        assert told is not None
        assert told.values.tolist() == values
    assert stored(here, asset).points(str(number), None, Filter(kinds=frozenset({"x"}))) is None


def test_holes_are_nan_and_instants_stay_where_they_are(here: Planning) -> None:
    asset = here.asset()
    load, soc = here.sensor(asset, "load", step=HOUR), here.sensor(asset, "soc", "kWh", HOUR * 0)
    here.save(load, [1, np.nan, 3], AT, HOUR)
    here.save(soc, [5], AT + timedelta(minutes=7), HOUR)
    source = stored(here, asset)
    found = source.points(str(load), None)
    assert found is not None
    assert np.isnan(found.values).tolist() == [False, True, False]
    measured = source.points(str(soc), None)
    assert measured is not None
    assert (measured.starts, measured.values.tolist()) == ((AT + timedelta(minutes=7),), [5])


def test_of_several_probabilities_the_middle_one_counts(here: Planning) -> None:
    asset = here.asset()
    number = here.sensor(asset, "load", step=HOUR)
    source = here.beliefs.source(Source("seer", "forecaster"))
    here.beliefs.post(Rows.of({
        "sensor": [number] * 3, "source": [source] * 3, "event_us": [micros(AT)] * 3,
        "belief_us": [micros(LONG_AGO)] * 3, "probability": [0.1, 0.5, 0.9], "value": [1, 2, 9],
    }))  # fmt: skip
    found = stored(here, asset).points(str(number), None)
    assert found is not None
    assert found.values.tolist() == [2]


def test_what_is_needed_is_read_together_and_no_more(here: Planning) -> None:
    asset = here.asset()
    price, load, power = (
        here.sensor(asset, name, unit, HOUR)
        for name, unit in (("price", "EUR/kWh"), ("load", "kW"), ("power", "kW"))
    )
    for number in (price, load, power):
        here.save(number, range(48), AT - 24 * HOUR, HOUR)
    said = [
        [{"sensor": power, "soc-max": "1 kWh"}],
        {"consumption-price": {"sensor": price}, "inflexible-consumption": [{"sensor": load}]},
    ]
    source = stored(here, asset, said)
    span = AT + timedelta(minutes=30), AT + 3 * HOUR
    found = source.points(str(price), None, span=span)
    assert found is not None
    assert (found.starts[0], len(found.values)) == (AT, 3)
    here.beliefs.delete(f"{asset}/load", None, None, None)
    here.beliefs.delete(f"{asset}/power", None, None, None)
    assert source.points(str(load), None, span=span) is not None  # was read with the price
    assert source.points(str(power), None, span=span) is None  # was not: it is an output
