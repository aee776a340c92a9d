"""What must hold between the parts of a site."""

from pathlib import Path

import pytest

from flexedge.config.check import load_site
from flexedge.config.rules import capacity_kwh
from flexedge.config.site import Asset
from flexedge.errors import ConfigError

HEAD = """\
site: {name: Test, timezone: Europe/Berlin, location: {latitude: 48, longitude: 11}}
prices: {import: {fixed: 0.3 EUR/kWh}}
brokers: {local: {host: 10.0.0.9}}
devices:
  meter: {profile: eastron-sdm630, host: 10.0.0.1}
  hybrid: {profile: foxess-h3, host: 10.0.0.2}
  roof: {profile: sunspec-pv, host: 10.0.0.3}
  pump: {profile: lambda-heat-pump, host: 10.0.0.4}
  plug: {profile: shelly-gen2-switch, broker: local, options: {prefix: shelly}}
grid-connection: {device: meter}
flex-context: {consumption-price: {sensor: import}}
assets:
"""
BATTERY = "  b: {type: battery, device: hybrid, flex-model: {soc-max: 10 kWh}}\n"
PROCESS = "power: 6 kW, duration: 3 h, since: '06:00', until: '18:00'"


def said(tmp_path: Path, assets: str, head: str = HEAD) -> list[str]:
    path = tmp_path / "site.yaml"
    path.write_text(head + assets)
    try:
        load_site(path)
    except ConfigError as error:
        return [str(problem).removeprefix(f"{path}:") for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "assets",
    [
        BATTERY,
        "  p: {type: solar, device: roof, flex-model: {power-capacity: 8 kW}}",
        "  p: {type: solar, device: roof, control: false}",
        "  m: {type: process, device: plug, process: {" + PROCESS + "}}",
        (
            "  m: {type: process, device: plug, process: {power: 6 kW, duration: 5 h, "
            "since: '22:00', until: '04:00'}}"
        ),
        (
            "  h: {type: heat-storage, device: pump, heat-buffer: {volume: 500 l, min: 30 degC, "
            "max: 50 degC}}"
        ),
        (
            "  h: {type: heat-storage, device: pump, flex-model: {soc-max: 5 kWh, "
            "soc-at-start: 2 kWh}}"
        ),
        (
            "  b: {type: battery, control: false, flex-model: {soc-max: 5 kWh, "
            "state-of-charge: {sensor: hybrid.battery.soc}}}"
        ),
    ],
)
def test_sites_that_hold(tmp_path: Path, assets: str) -> None:
    assert said(tmp_path, assets) == []


@pytest.mark.parametrize(
    ("assets", "expected"),
    [
        ("  grid: {type: battery, device: hybrid, flex-model: {soc-max: 10 kWh}}",
         "13:3: 'grid' is the grid connection's own name; choose another one"),
        (BATTERY + "  c: {type: battery, device: hybrid, flex-model: {soc-max: 10 kWh, "
         "soc-at-start: 1 kWh}}",
         "14:30: 'b' has the battery of 'hybrid' already"),
        ("  b: {type: battery, device: hybrid}",
         "13:3: missing key 'soc-max': how much it stores, as '10 kWh'"),
        ("  b: {type: battery, control: false, flex-model: {soc-max: 5 kWh}}",
         ("13:38: nobody knows its state of charge: add state-of-charge: {sensor: …} or "
         "soc-at-start")),
        ("  b: {type: battery, flex-model: {soc-max: 5 kWh, soc-at-start: 1 kWh}}",
         "13:3: nothing to control without a device: add device or set control: false"),
        ("  b: {type: battery, device: hybrid, flex-model: {soc-max: 5 kWh, soc-at-start: 6 kWh}}",
         "13:81: 6 kWh is more than it stores (5 kWh)"),
        (("  b: {type: battery, device: hybrid, flex-model: {soc-max: 5 kWh, "
         "state-of-charge: {sensor: grid.voltage-l1}}}"),
         "13:93: 'grid.voltage-l1' is in V, not % or kWh"),
        ("  p: {type: solar, device: roof}",
         "13:3: to curtail it, its size must be known: add power-capacity, as '9.8 kW'"),
        (("  p: {type: solar, device: roof, control: false, ready-by: [{time: '07:00', "
         "soc: 1 kWh}]}"),
         ("13:50: only for battery, one-way_evse, two-way_evse, heat-storage, but this is a solar: "
         "remove it")),
        ("  p: {type: solar, device: roof, control: false, remainder: true}",
         "13:61: only for building, but this is a solar: remove it"),
        ("  h: {type: building}",
         "13:3: a building is what the grid meter shows beside the rest: add remainder: true"),
        ("  h: {type: building, device: meter, remainder: true}",
         "13:31: a building has no device: it is what the grid meter shows beside the rest"),
        ("  h: {type: building, remainder: true}\n  i: {type: building, remainder: true}",
         "14:34: 'h' is the remainder already"),
        ("  m: {type: process, device: plug}",
         "13:3: missing key 'process': its power, duration, since and until"),
        ("  m: {type: process, device: plug, process: {" + PROCESS.replace("3 h", "13 h") + "}}",
         "13:69: lasts longer than the 12 h between since and until"),
        (("  h: {type: heat-storage, device: pump, heat-buffer: {volume: 500 l, min: 50 degC, "
         "max: 50 degC}}"),
         "13:89: should be more than min (50 degC)"),
        (("  h: {type: heat-storage, device: pump, heat-buffer: {volume: 0 l, min: 30 degC, "
         "max: 50 degC}}"),
         "13:63: should be more than 0 l"),
        (("  h: {type: heat-storage, control: false, heat-buffer: {volume: 500 l, min: 30 degC, "
         "max: 50 degC}}"),
         ("13:3: nobody knows its state of charge: add heat-buffer (with a device that tells the "
         "buffer-temperature), state-of-charge: {sensor: …} or soc-at-start")),
        ("  b: {type: battery, device: meter, flex-model: {soc-max: 5 kWh, soc-at-start: 1 kWh}}",
         "13:30: 'eastron-sdm630' has no battery (it has grid)"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_one_line(tmp_path: Path, assets: str, expected: str) -> None:
    assert said(tmp_path, assets) == [expected]


def test_a_profile_without_control(tmp_path: Path) -> None:
    assets = "  p: {type: solar, device: roof, flex-model: {power-capacity: 8 kW}}"
    own = tmp_path / "profiles"
    own.mkdir()
    (own / "sunspec-pv.yaml").write_text(
        "profile: sunspec-pv\ntitle: t\ndriver: modbus\nprovides: [pv]\nsource: s\n"
        "points: {pv.power: {address: 1, unit: W}}\n"
    )
    path = tmp_path / "site.yaml"
    path.write_text(HEAD + assets)
    with pytest.raises(ConfigError) as caught:
        load_site(path, [own])
    assert str(caught.value) == (
        f"{path}:13:3: 'sunspec-pv' cannot control its pv: set control: false"
    )


def test_the_grid_meter_must_be_one(tmp_path: Path) -> None:
    head = HEAD.replace("{device: meter}", "{device: roof}")
    assert said(tmp_path, BATTERY, head) == ["10:27: 'sunspec-pv' has no grid (it has pv)"]


def test_agreed_production_lies_within_the_connection(tmp_path: Path) -> None:
    head = HEAD.replace(
        "{sensor: import}}",
        "{sensor: import}, site-power-capacity: 10 kW, site-production-capacity: 11 kW}",
    )
    assert said(tmp_path, BATTERY, head) == [
        "11:107: 11 kW is more than site-power-capacity (10 kW)"
    ]


def test_an_unknown_profile_brings_no_further_complaints(tmp_path: Path) -> None:
    head = HEAD.replace("foxess-h3", "foxes-h3").replace(
        "{sensor: import}}",
        "{sensor: import}, inflexible-consumption: [{sensor: b.power}, "
        "{sensor: hybrid.grid.power-l1}]}",
    )
    assert said(tmp_path, BATTERY, head) == [
        "6:21: there is no profile 'foxes-h3'; did you mean 'foxess-h3'?"
    ]


def test_what_an_asset_stores() -> None:
    buffer = {"volume": "500 l", "min": "30 degC", "max": "50 degC"}
    heat = Asset.model_validate({"type": "heat-storage", "heat-buffer": buffer})
    assert capacity_kwh(heat) == pytest.approx(11.63)
    assert capacity_kwh(Asset(type="battery")) is None
