"""What must hold of that which comes from central servers."""

from pathlib import Path

import pytest

from flexedge.config.check import load_site
from flexedge.errors import ConfigError

SITE = """\
site: {name: Test, timezone: Europe/Berlin, location: {latitude: 48, longitude: 11}}
devices: {meter: {profile: eastron-sdm630, host: 10.0.0.1}}
grid-connection: {device: meter}
flex-context: {consumption-price: {sensor: import}, site-power-capacity: 17 kW%s}
assets: {house: {type: building, remainder: true}}
"""
PRICE = "prices: {import: {centre: main, sensor: 14, unit: EUR/MWh%s}}\n"
LIMIT = ", site-consumption-capacity: {sensor: grid-limit, default: 5 kW}"


def said(tmp_path: Path, price: str, centres: str, context: str = "") -> list[str]:
    path = tmp_path / "site.yaml"
    path.write_text(SITE % context + PRICE % price + centres)
    try:
        load_site(path)
    except ConfigError as error:
        return [str(problem).removeprefix(f"{path}:") for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("price", "centres", "context"),
    [
        ("", "", ""),
        (", factor: 1.2, add: 0.05 EUR/kWh, valid: [-500, 4000]", "centres: {main: {}}", ""),
        ("", "centres: {main: {receive: {grid-limit: {sensor: 7, unit: kW}}}}", LIMIT),
        ("", "centres: {main: {receive: {weather.sun.tilt: {sensor: 7, unit: deg}}}}", ""),
    ],
)
def test_sites_that_hold(tmp_path: Path, price: str, centres: str, context: str) -> None:
    assert said(tmp_path, price, centres, context) == []


@pytest.mark.parametrize(
    ("price", "centres", "expected"),
    [
        ("", "centres: {spare: {}}", "6:27: there is no centre 'main'; known: spare"),
        ("", "centres: {man: {}}", "6:27: there is no centre 'main'; did you mean 'man'?"),
        ("", "centres: {main: {scopes: [readings]}}",
         "6:27: nothing is received from 'main': add data to its scopes"),
        (", valid: [5, 5]", "", "is [the least, the most]: first the smaller one"),
        (", ahead: 200 d", "", "19200 values at once are too many: at most 10000"),
        (", add: 0.1 SEK/kWh", "", "is in SEK, but the other prices are in EUR"),
        ("", "centres: {main: {receive: {grid.power: {sensor: 1, unit: kW}}}}",
         "there is a sensor 'grid.power' already: choose another name"),
        ("", "centres: {main: {receive: {import: {sensor: 1, unit: kW}}}}",
         "there is a sensor 'import' already"),
        ("", "centres: {main: {receive: {Limit: {sensor: 1, unit: kW}}}}", "'Limit'"),
        ("", "centres: {main: {receive: {x: {sensor: 0, unit: kW}}}}", "at least 1, not 0"),
        ("", "centres: {main: {receive: {x: {sensor: 1, unit: furlong}}}}",
         "unknown unit 'furlong'; write it as kW"),
        ("", "centres: {main: {receive: {x: {sensor: 1, unit: kW, resolution: 1 s}}}}",
         "180000 values at once are too many: at most 10000"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_said(
    tmp_path: Path, price: str, centres: str, expected: str
) -> None:
    problems = said(tmp_path, price, centres)
    assert len(problems) == 1
    assert expected in problems[0]


def test_a_received_sensor_has_to_fit_where_it_is_used(tmp_path: Path) -> None:
    centres = "centres: {main: {receive: {grid-limit: {sensor: 7, unit: degC}}}}"
    problems = said(tmp_path, "", centres, LIMIT)
    assert "'grid-limit' is in degC" in problems[0]
