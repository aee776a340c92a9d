"""What must hold between flex-models, the flex-context and the rest of a site."""

from pathlib import Path

import pytest

from flexedge.config.check import load_site
from tests.config.test_rules import HEAD, said

BATTERY = "  b: {type: battery, device: hybrid, flex-model: {soc-max: 10 kWh%s}}\n"
GROUP = "  g: {type: group, flex-model: {power-capacity: 4 kW}}\n"
MEMBER = BATTERY % ", group: {asset: g}"
CONTEXT = "flex-context: {consumption-price: {sensor: import}%s}\n"
GAS = ", commodities: [{commodity: gas, consumption-price: 0.1 EUR/kWh}]"
PLUG = (
    "  m: {type: process, device: plug, process: {power: 6 kW, duration: 3 h, since: '06:00', "
    "until: '18:00'}}\n"
)
COMMITMENT = (
    ", commitments: [{name: c, baseline: 0 kW, up-price: 1 EUR/kW, sensors: [{sensor: %s}]}]"
)
CONVERTER = (
    "  chp: {type: converter, flex-model: {coupling: x, commodity: gas, "
    "consumption-capacity: 5 kW}}\n"
)
SHARED = (
    "  h: {type: heat-storage, device: pump, flex-model: {soc-max: 5 kWh, "
    "soc-at-start: 2 kWh, state-of-charge: {sensor: b.soc}}}\n"
    "  b: {type: battery, device: hybrid, flex-model: {power-capacity: 3 kW, "
    "state-of-charge: {sensor: b.soc}}}\n"
)
WATCHED = (
    "  s: {type: battery, control: false, flex-model: {soc-max: 1 kWh, soc-at-start: 0 kWh, "
    "inflexible-consumption: {sensor: grid.power}}}\n"
)
BOUND = (
    "grid.power: 'grid.power' is neither planned nor listed as inflexible; did you mean 'b.power'?"
)
SERIES = (
    "soc-targets: a series of values cannot be stored: write one quantity, or the sensor that has "
    "the series, as {sensor: its name}"
)


def head(more: str) -> str:
    return HEAD.replace(CONTEXT % "", CONTEXT % more)


@pytest.mark.parametrize(
    ("assets", "context"),
    [
        (MEMBER + GROUP, ""),
        (BATTERY % ", power-capacity: {sensor: b.power, default: 5 kW}", ""),
        (BATTERY % ", production-capacity: {sensor: b.power, source: dso}", ""),
        (BATTERY % ", soc-value-at-end: 0.1 EUR/kWh, wear-cost: 0.02 EUR/kWh", ""),
        (BATTERY % "", ", site-power-capacity: {sensor: grid.power, default: 17 kW}"),
        (BATTERY % "", COMMITMENT % "b.power"),
        (CONVERTER, GAS),
        (SHARED, ""),
        (WATCHED, ""),
    ],
)  # fmt: skip
def test_sites_that_hold(tmp_path: Path, assets: str, context: str) -> None:
    assert said(tmp_path, assets, head(context)) == []


@pytest.mark.parametrize(
    ("assets", "context", "expected"),
    [
        (BATTERY % ", power-capacity: {sensor: b.power}", "",
         "power-capacity: needs a default: the limit that holds while the sensor is silent"),
        (BATTERY % "", ", site-power-capacity: {sensor: grid.power}",
         "site-power-capacity: needs a default: the limit that holds while the sensor is silent"),
        (BATTERY % ", maximum-starts-per-day: 3", "",
         "3: needs to know how little the device draws when it is on: add minimum-power"),
        (BATTERY % ", charging-efficiency: {sensor: b.power}", "",
         "b.power: 'b.power' is in kW, not a share: % or no unit"),
        (BATTERY % ", soc-minima: {sensor: b.power}", "",
         "b.power: 'b.power' is in kW, not % or kWh"),
        (BATTERY % "", ", site-peak-consumption-price: {sensor: import}",
         "import: 'import' is in EUR/kWh, not a price per kW: write it as '120 EUR/kW'"),
        (BATTERY % ", soc-usage: [{sensor: b.power, source-types: [user]}]", "",
         "source-types: is not supported here: name the sources under 'sources'"),
        (BATTERY % ", soc-usage: [{sensor: b.power, source-account: 3}]", "",
         "3: is not supported here: name the sources under 'sources'"),
        (BATTERY % "", ", production-price: {sensor: import, source: x}",
         "import: a price of this site has no other source: remove 'source'"),
        (MEMBER + GROUP.replace("4 kW", "4 kW, group: {asset: gg}"), "",
         "gg: there is no group 'gg'; did you mean 'g'?"),
        (BATTERY % "" + GROUP, "",
         "g: nobody belongs to this group: add group: {asset: g} to assets"),
        (MEMBER + "  g: {type: group}\n", "",
         "g: a group without any limit has no effect: add power-capacity, as '10 kW'"),
        (MEMBER + GROUP.replace("4 kW", "4 kW, soc-max: 3 kWh"), "",
         "3 kWh: only for devices, but this is a group: remove it"),
        (MEMBER + GROUP.replace("4 kW", "4 kW, group: {asset: g}"), "",
         "group: groups contain each other"),
        (MEMBER + GROUP.replace("group,", "group, device: plug,"), "",
         "plug: a group has no device of its own: remove it"),
        ("  c: {type: converter}\n", "",
         "c: missing key 'coupling': the name that its ports share"),
        (BATTERY % ", commodity: gaz", GAS,
         "gaz: the flex-context lists no 'gaz'; did you mean 'gas'?"),
        (BATTERY % ", inflexible-consumption: {sensor: b.power}", "",
         "inflexible-consumption: only for what is not controlled: add control: false"),
        (BATTERY % ", state-of-charge: {sensor: b.soc}"
         + "  h: {type: heat-storage, device: pump, flex-model: {soc-max: 5 kWh, "
         "state-of-charge: {sensor: b.soc}}}\n", "",
         "5 kWh: 'b' says so already for the same state of charge: remove it here"),
        (BATTERY % "", COMMITMENT % "grid.power",
         BOUND),
        (BATTERY % ", soc-value-at-end: 0.1 USD/kWh", "",
         "0.1 USD/kWh: is in USD, but the other prices are in EUR"),
        (BATTERY % ", soc-targets: [{datetime: x, value: 1 kWh}]", "",
         SERIES),
        (BATTERY % ", minimum-pwer: 1 kW", "",
         "minimum-pwer: unknown key 'minimum-pwer'; did you mean 'minimum-power'?"),
        (BATTERY % ", sensor: b.power", "",
         "b.power: the asset is known by its own name here: remove it"),
        (BATTERY % ", soc-value-at-end: [{value: 0.1 kWh}]", "",
         "0.1 kWh: '0.1 kWh' is energy, but this is energy price: write it as '0.29 EUR/kWh'"),
        (PLUG.replace("3 h", "3 h, runs: 5"), "",
         "3 h: times 5 runs lasts longer than the 12 h between since and until"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_one_line(
    tmp_path: Path, assets: str, context: str, expected: str
) -> None:
    """What is expected begins with what stands where the problem is said to be."""
    (problem,) = said(tmp_path, assets, head(context))
    line, column, message = problem.split(":", 2)
    place, _, wanted = expected.partition(": ")
    assert message.strip() == wanted
    text = (head(context) + assets).splitlines()
    assert text[int(line) - 1][int(column) - 1 :].startswith(place)


def test_limits_of_listed_electricity_are_found_where_they_stand(tmp_path: Path) -> None:
    listed = (
        "flex-context: {commodities: [{consumption-price: {sensor: import}, "
        "site-power-capacity: 10 kW, site-production-capacity: 11 kW}]}\n"
    )
    text = HEAD.replace(CONTEXT % "", listed)
    assert said(tmp_path, BATTERY % "", text) == [
        "11:122: 11 kW is more than site-power-capacity (10 kW)"
    ]


def test_the_shipped_examples_use_what_flexedge_adds() -> None:
    root = Path(__file__).parents[2] / "config"
    battery = load_site(root / "industry.yaml").site.assets["battery"].flex_model
    assert battery.wear_cost is not None
    assert battery.soc_value_at_end is not None


GUIDE = """\
site: {name: Test, timezone: Europe/Berlin, location: {latitude: 48, longitude: 11}}
prices: {import: {fixed: 0.3 EUR/kWh}, feed-in: {fixed: 0.1 EUR/kWh}}
brokers: {local: {host: 10.0.0.9}}
devices:
  meter: {profile: eastron-sdm630, host: 10.0.0.1}
  hybrid: {profile: foxess-h3, host: 10.0.0.2}
  heat-pump: {profile: lambda-heat-pump, host: 10.0.0.4}
  charger: {profile: go-e-charger, broker: local, options: {serial: "012345"}}
  plug: {profile: shelly-gen2-switch, broker: local, options: {prefix: washer}}
grid-connection: {device: meter}
"""
"""What the installers' guide leaves out of its part of a site."""


def test_the_part_of_a_site_in_the_installers_guide_holds(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "installers.md").read_text(encoding="utf-8")
    part = text.split("```yaml\nassets:")[1].split("```")[0]
    assert said(tmp_path, f"assets:{part}", GUIDE) == []
