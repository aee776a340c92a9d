"""Sensors, series and assets of a file."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.errors import BadField
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.source import FileSource, Points, on_grid, parse_unit

START = "2026-11-24T00:00:00+00:00"
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
HOUR = timedelta(hours=1)
KW = {"unit": "kW", "resolution": "PT1H"}


def source(**data: Any) -> FileSource:
    return FileSource(Fields(data, ""))


def test_sensors_know_their_asset() -> None:
    sensors = {
        "power": KW, "soc": {"unit": "kWh", "resolution": "PT0M", "on": "energy"},
        "energy": {"unit": "kWh", "resolution": "PT1H", "on": "power"},
        "other": {**KW, "asset": 12, "asset-type": "process", "attributes": {"a": 1}},
        "beside": {**KW, "on": "other"}, "itself": {**KW, "on": "itself"},
    }  # fmt: skip
    found = source(sensors=sensors).sensors
    assert {name: one.asset for name, one in found.items()} == {
        "power": "power", "soc": "power", "energy": "power", "other": "12", "beside": "12",
        "itself": "itself",
    }  # fmt: skip
    assert found["soc"].resolution == timedelta(0)
    assert found["other"].attributes == {"a": 1}


def test_missing_values_are_no_numbers() -> None:
    stored = {"start": START, "resolution": "PT1H", "unit": "kW", "values": [1, None, 3]}
    points = source(sensors={"p": KW}, series={"p": stored}).points("p", None)
    assert points is not None
    assert points.values.tolist()[::2] == [1, 3]
    assert np.isnan(points.values[1])
    assert points.starts[2] - points.starts[0] == 2 * HOUR
    assert source(sensors={"p": KW}).points("p", None) is None


def test_of_several_beliefs_the_last_known_at_the_moment_counts() -> None:
    def said(at: str, *values: float | None, **more: Any) -> Any:
        return {"start": START, "resolution": "PT1H", "values": list(values),
                "belief-time": f"2026-11-2{at}T00:00:00+00:00", **more}  # fmt: skip

    stored = [said("3", 9, None), said("1", 1, 2), {**said("2", 3000), "unit": "W"}]
    found = source(sensors={"p": KW}, series={"p": stored})
    both = found.points("p", None)
    assert both is not None
    assert both.values.tolist() == [9, 2]
    before = found.points("p", datetime(2026, 11, 22, 12, tzinfo=UTC))
    assert before is not None
    assert before.values.tolist() == [3, 2]
    assert found.points("p", datetime(2026, 11, 20, tzinfo=UTC)) is None


def test_beliefs_in_other_steps_are_held_and_moments_put_in_order() -> None:
    fine = {"start": "2026-11-24T01:30:00+00:00", "resolution": "PT30M", "values": [5]}
    whole = {"start": START, "resolution": "PT1H", "values": [1, 2]}
    found = source(sensors={"p": KW}, series={"p": [whole, fine]}).points("p", None)
    assert found is not None
    assert (found.resolution, found.values.tolist()) == (HOUR / 2, [1, 1, 2, 5])
    soc = {"unit": "kWh", "resolution": "PT0M"}
    late = {"start": "2026-11-24T05:00:00+00:00", "values": [4]}
    early = {"start": "2026-11-24T04:00:00+00:00", "unit": "MWh", "values": [0.003]}
    moments = source(sensors={"s": soc}, series={"s": [late, early]}).points("s", None)
    assert moments is not None
    assert moments.values.tolist() == [3, 4]
    assert moments.starts[0] == MIDNIGHT + 4 * HOUR


def test_only_its_own_attribute_contradicts_a_sign() -> None:
    sensors = {"own": {**KW, "attributes": {"consumption_is_positive": False}},
               "lent": {**KW, "asset": "a"}}  # fmt: skip
    assets = {"a": {"attributes": {"consumption_is_positive": False}}}
    found = source(sensors=sensors, assets=assets).sensors
    assert found["own"].contradicts(consumption=True)
    assert not found["own"].contradicts(consumption=False)
    assert not found["lent"].contradicts(consumption=True)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"sensors": {"p": {"unit": 3, "resolution": "PT1H"}}}, "sensors.p.unit: should be a unit"),
        ({"sensors": {"p": {**KW, "on": "q"}}}, "sensors.p.on: there is no sensor 'q'"),
        ({"sensors": {"p": {**KW, "unti": "kW"}}}, "did you mean 'unit'"),
        ({"series": {"p": {}}}, "series.p: is the series of a sensor that is not among"),
        ({"sensors": {"p": KW}, "series": {"p": {"start": START, "values": ["x"]}}},
         "series.p.values: number 0 should be a number or null, not 'x'"),
        ({"sensors": {"p": KW}, "series": {"p": {"start": START, "values": [1], "unit": 1}}},
         "series.p.unit: should be a unit"),
        ({"sensors": {"p": {"unit": "kWh", "resolution": "PT0M"}},
          "series": {"p": {"start": START, "values": [1, 2]}}}, "need a distance between them"),
        ({"assets": {"a": {"parent": "b"}}}, "assets.a.parent: there is no asset 'b'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_told_by_its_path(data: Any, told: str) -> None:
    with pytest.raises(BadField) as caught:
        source(**data)
    assert told in str(caught.value)


def test_values_are_put_on_a_grid() -> None:
    grid = TimeGrid(MIDNIGHT, HOUR, 3)
    quarters = Points(
        tuple(MIDNIGHT + i * HOUR / 4 for i in range(8)), np.arange(8.0), HOUR / 4, "kW"
    )
    assert on_grid(quarters, grid)[:2].tolist() == [1.5, 5.5]
    assert np.isnan(on_grid(quarters, grid)[2])
    points = Points((MIDNIGHT + HOUR, MIDNIGHT + 9 * HOUR), np.array([4.0, 5.0]), HOUR * 0, "kWh")
    assert np.nan_to_num(on_grid(points, grid)).tolist() == [0, 4, 0]
    assert np.isnan(on_grid(Points((), np.empty(0), HOUR, "kW"), grid)).all()


def test_assets_carry_what_is_stored_about_them() -> None:
    assets = {"site": {"flex-context": {"a": 1}}, "b": {"parent": "site", "flex-model": {"c": 2}}}
    found = source(assets=assets).assets
    assert found["site"].flex_context.data == {"a": 1}
    assert (found["b"].parent, found["b"].flex_model.path) == ("site", "assets.b.flex-model")


def test_units_nobody_knows_are_none() -> None:
    assert parse_unit("parsec") is None


def test_of_moments_those_on_a_tick_of_the_grid_count() -> None:
    half = timedelta(minutes=30)
    starts = tuple(MIDNIGHT + i * half for i in range(4))
    moments = Points(starts, np.array([1.0, 2.0, 3.0, 4.0]), timedelta(0), "kW")
    assert on_grid(moments, TimeGrid(MIDNIGHT, HOUR, 2)).tolist() == [1.0, 3.0]
    late = TimeGrid(MIDNIGHT + timedelta(minutes=20), HOUR, 2)
    assert np.isnan(on_grid(moments, late)).all()


def test_sensors_have_the_attributes_of_their_asset() -> None:
    sensors = {"power": {**KW, "asset": "house", "attributes": {"b": 2}}}
    assets = {"house": {"attributes": {"a": 1, "b": 1}}}
    assert source(sensors=sensors, assets=assets).sensors["power"].attributes == {"a": 1, "b": 2}
