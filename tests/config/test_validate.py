"""Every problem of a document, in words, at its place."""

import pytest

from flexedge.config.load import read_text
from flexedge.config.profile import ProfileFile
from flexedge.config.site import Site
from flexedge.config.validate import remedy, validate
from flexedge.errors import ConfigError

WHOLE = """\
site: {name: Home, timezone: Europe/Amsterdam, location: {latitude: 52, longitude: 5}}
prices: {import: {fixed: 0.3 EUR/kWh}}
devices: {meter: {profile: eastron-sdm630, host: 10.0.0.1}}
grid-connection: {device: meter}
assets: {}
flex-context: {consumption-price: {sensor: import}}
"""


def said(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        validate(read_text(text, "f"), Site)
    return [str(problem) for problem in caught.value.problems]


def with_line(number: int, line: str) -> str:
    lines = WHOLE.splitlines()
    lines[number - 1] = line
    return "\n".join(lines)


def test_a_whole_document_becomes_a_model() -> None:
    site = validate(read_text(WHOLE, "f"), Site)
    assert site.site.location.latitude == 52.0
    assert site.grid_connection.guard_margin == 0.2


@pytest.mark.parametrize(
    ("number", "line", "expected"),
    [
        (4, "grid-conection: {device: meter}",
         "f:4:1: unknown key 'grid-conection'; did you mean 'grid-connection'?"),
        (4, "grid-connection: {guard_margin: 1 kW, device: meter}",
         "f:4:19: unknown key 'guard_margin'; did you mean 'guard-margin'?"),
        (4, "grid-connection: {device: meter, colour: red}",
         "f:4:34: unknown key 'colour'; known: device, guard-margin"),
        (4, "grid-connection: {}", "f:4:1: missing key 'device'; add it"),
        (4, "grid-connection: meter",
         "f:4:18: should be a mapping with the keys device, guard-margin, not 'meter'"),
        (4, "grid-connection:",
         "f:4:17: should be a mapping with the keys device, guard-margin, not nothing"),
        (4, "grid-connection: {device: 12}", "f:4:27: should be text, not 12: put it in quotes"),
        (2, "prices: {import: {fixd: 0.3 EUR/kWh}}",
         "f:2:10: a price has one of the keys: fixed, zones, file, centre"),
        (2, "prices: {import: {fixed: 0.3 EUR}}",
         ("f:2:26: unknown unit 'EUR'; known are %, A, GJ, GW, GWh, Hz, L, MJ, MVA, MW, MWh, TWh, "
         "V, VA, W, Wh, degC, kVA, kW, kWh, l, m3, mA and prices such as EUR/kWh")),
        (2, "prices: {import: {file: a.csv, unit: EUR/kWh, factr: 2}}",
         "f:2:47: unknown key 'factr'; did you mean 'factor'?"),
        (2, "prices: {import: {file: a.csv}}", "f:2:10: missing key 'unit'; add it"),
        (2, "prices: {import: {zones: [], otherwise: 0.3 EUR/kWh}}",
         "f:2:19: should not be empty"),
        (2, "prices: {Import: {fixed: 0.3 EUR/kWh}}",
         ("f:2:10: 'Import' is no name for this; write lower-case letters, digits and dashes, "
         "beginning with a letter")),
        (3, "devices: {meter: {profile: x, port: '502'}}",
         "f:3:37: should be a whole number, not '502': write it without quotes"),
        (3, "devices: {meter: {profile: x, port: 70000}}",
         "f:3:37: should be at most 65535, not 70000"),
        (3, "devices: {meter: {profile: x, options: {serial: [1]}}}",
         "f:3:41: should be text or a whole number or a number, not a list"),
        (5, "assets: {b: {type: batery}}",
         "f:5:20: 'batery' is not known here; did you mean 'battery'?"),
        (5, "assets: {b: {type: battery, control: yes}}",
         "f:5:38: should be true or false, not 'yes'"),
        (5, "assets: {b: {type: battery, limits: {range: [1 kW]}}}",
         "f:5:38: the list is too short: entry 2 is missing"),
        (5, "assets: {b: {type: battery, limits: {range: [1 kW, -1 kW]}}}",
         "f:5:29: range is [most production, most consumption]: first the smaller one"),
        (5, "assets: {b: {type: battery, flex-model: {soc-usage: 1 kW}}}",
         "f:5:53: should be a list, not '1 kW'"),
        (5, "assets: {b: {type: battery, flex-model: {soc-min: 4 kWh, soc-max: 3 kWh}}}",
         "f:5:29: soc-min (4 kWh) lies above soc-max (3 kWh)"),
        (5, "assets: {b: {type: battery, flex-model: {production-capacity: {sensr: a}}}}",
         "f:5:64: unknown key 'sensr'; did you mean 'sensor'?"),
        (6, "flex-context: {consumption-price: {sensor: import}, site-power-capacity: -3 kW}",
         "f:6:74: should be at least 0, not '-3 kW'"),
        (1, "site: {name: x, timezone: Mars, location: {latitude: 92, longitude: 5}}",
         "f:1:27: 'Mars' is not a time zone; write it as 'Europe/Amsterdam'"),
    ],
)  # fmt: skip
def test_one_mistake_is_one_line(number: int, line: str, expected: str) -> None:
    assert expected in said(with_line(number, line))
    expected_lines = 2 if "latitude: 92" in line else 1
    assert len(said(with_line(number, line))) == expected_lines


def test_all_mistakes_come_at_once_in_the_order_of_the_file() -> None:
    text = with_line(2, "prices: {import: {fixed: 3}}").replace("{device: meter}", "{devise: m}")
    assert [line.split(":")[1] for line in said(text)] == ["2", "4"]


def test_a_file_that_is_no_mapping() -> None:
    (line,) = said("just text")
    assert line.startswith("f:1:1: should be a mapping with the keys site, prices")


def test_a_document_under_a_key_keeps_its_places() -> None:
    text = "driver: modbus\nprofile: x\ntitle: t\nprovides: [pw]\nsource: s\npoints: {}\n"
    with pytest.raises(ConfigError) as caught:
        validate(read_text(text, "p"), ProfileFile, under="file")
    assert str(caught.value) == (
        "p:4:12: 'pw' is not known here; known: battery, ev, grid, heat-pump, pv, switch"
    )
    with pytest.raises(ConfigError, match="p:1:1: driver should be one of: modbus, mqtt"):
        validate(read_text("driver: modbsu", "p"), ProfileFile, under="file")


def test_remedies() -> None:
    assert remedy("batery", ["battery", "building"]) == "; did you mean 'battery'?"
    assert remedy("SOC_MAX", ["soc-max", "soc-min"]) == "; did you mean 'soc-max'?"
    assert remedy("x", ["b", "a"]) == "; known: a, b"
    assert remedy("x", []) == "; there are none"
    assert remedy("x", [f"name-{i}" for i in range(20)]) == ""
