import csv
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from flexedge.config.site import FilePrice, Site
from flexedge.demo.place import ZONE
from flexedge.demo.site_yaml import price_csv, write_site
from flexedge.domain.variable import PowerFromSensor

_START = datetime(2026, 4, 14, tzinfo=ZONE).timestamp()
_PORTS = {"battery": 5001, "solar": 5002, "meter": 5003, "heating": 5004, "broker": 5005}


def _site(folder: Path) -> Site:
    path = write_site(folder, 1, _START, 2.0, _PORTS)
    return Site.model_validate(yaml.safe_load(path.read_text()), by_alias=True, by_name=False)


def test_the_site_is_one_that_flexedge_takes(tmp_path: Path) -> None:
    site = _site(tmp_path)
    assert list(site.assets) == ["battery", "solar", "car", "heating", "house"]
    assert {name: device.port for name, device in site.devices.items()} == {
        "hybrid": 5001, "inverter": 5002, "meter": 5003, "heat-pump": 5004, "charger": None,
    }  # fmt: skip
    assert site.brokers["local"].port == 5005
    assert site.grid_connection.device == "meter"
    assert site.flex_context.site_consumption_capacity == 15.0
    assert site.assets["battery"].flex_model.soc_max == 10.0
    assert site.assets["car"].ready_by[0].soc == 45.0
    for asset in site.assets.values():
        assert asset.device is None or asset.device in site.devices
    buffer = site.assets["heating"].heat_buffer
    assert buffer is not None
    assert buffer.capacity_kwh == pytest.approx(18.6, abs=0.1)


def test_what_an_installer_would_estimate(tmp_path: Path) -> None:
    model = _site(tmp_path).assets["heating"].flex_model
    assert isinstance(model.charging_efficiency, float)
    assert 2.5 < model.charging_efficiency < 4.5
    (usage,) = model.soc_usage
    assert isinstance(usage, PowerFromSensor)
    assert usage.default is not None
    assert 0.5 < usage.default < 4


def test_prices_reach_from_the_day_before_to_two_days_after(tmp_path: Path) -> None:
    source = _site(tmp_path).prices["import"]
    assert isinstance(source, FilePrice)
    rows = list(csv.DictReader(Path(source.file).read_text().splitlines()))
    starts = [datetime.fromisoformat(row["start"]) for row in rows]
    begin = datetime.fromtimestamp(_START, ZONE)
    assert starts[0] == begin - timedelta(days=1)
    assert starts[-1] >= begin + timedelta(days=4) - timedelta(hours=1)
    assert all(0.0 < float(row["value"]) < 0.6 for row in rows)
    assert price_csv(1, _START, 2.0) == price_csv(1, _START, 2.0) != price_csv(2, _START, 2.0)
