"""Sites as a whole: the examples hold, and a typo in any section is one line with a remedy."""

from pathlib import Path

import pytest

from flexedge.config.check import load_site
from flexedge.config.site import FilePrice
from flexedge.errors import ConfigError

EXAMPLES = Path(__file__).parents[2] / "config"


@pytest.mark.parametrize("name", ["home.yaml", "industry.yaml"])
def test_the_examples_have_no_problems(name: str) -> None:
    loaded = load_site(EXAMPLES / name)
    assert loaded.currency == "EUR"
    assert set(loaded.profiles) == set(loaded.site.devices)


def problems_of(tmp_path: Path, *changes: tuple[str, str], name: str = "home.yaml") -> list[str]:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        text = text.replace(old, new)
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_site(path)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # site
        ("timezone: Europe/Amsterdam", "timzone: Europe/Amsterdam",
         "11:3: unknown key 'timzone'; did you mean 'timezone'?"),
        # prices
        ("fixed: 0.08 EUR/kWh", "fixed: 0.08 EUR/kW",
         ("24:12: '0.08 EUR/kW' is power price, but this is energy price: write it as "
         "'0.29 EUR/kWh'")),
        ("otherwise: 0.22 EUR/kWh", "otherwise: 0.22 USD/kWh",
         "20:16: is in USD, but the other prices are in EUR"),
        # brokers
        ("port: 1883}", "prot: 1883}", "28:31: unknown key 'prot'; did you mean 'port'?"),
        # devices
        ("profile: foxess-h3", "profile: foxes-h3",
         "35:21: there is no profile 'foxes-h3'; did you mean 'foxess-h3'?"),
        ("broker: local", "broker: locl",
         "39:13: there is no broker 'locl'; did you mean 'local'?"),
        ('serial: "012345"', 'seriel: "012345"',
         "41:15: unknown option 'seriel'; did you mean 'serial'?"),
        ('      serial: "012345"              # in quotes: the zero in front belongs to it\n', "",
         ("40:5: missing option 'serial': serial number of the charger, printed on its card, as "
         "012345")),
        ("{profile: foxess-h3, host: 192.168.1.21}", "{profile: foxess-h3}",
         "35:3: missing key 'host': the address of the device, as 192.168.1.20"),
        # grid-connection
        ("device: meter", "device: metr",
         "48:11: there is no device 'metr'; did you mean 'meter'?"),
        ("guard-margin: 300 W", "guard-margin: 300",
         "49:17: 300 has no unit; write it as '5 kW'"),
        # assets
        ("device: hybrid", "device: hybrd",
         "55:13: there is no device 'hybrd'; did you mean 'hybrid'?"),
        ("soc-min: 1 kWh", "soc-min: 1 kW",
         "57:16: '1 kW' is power, but this is energy: write it as '10 kWh'"),
        ("type: solar", "type: sola", "66:11: 'sola' is not known here; did you mean 'solar'?"),
        ("{sensor: solar.power}", "{sensor: solar.pwer}",
         "70:37: there is no sensor 'solar.pwer'; did you mean 'solar.power'?"),
        ("soc: 45 kWh", "soc: 450 kWh", "83:30: 450 kWh is more than it stores (60 kWh)"),
        ("min: 35 degC", "min: 65 degC", "88:53: should be more than min (65 degC)"),
        ("{sensor: heating.heat-demand,", "{sensor: heating.heatdemand,",
         "95:20: there is no sensor 'heating.heatdemand'; did you mean 'heating.heat-demand'?"),
        # flex-context
        ("{sensor: feed-in}", "{sensor: feedin}",
         "105:30: there is no sensor 'feedin'; did you mean 'feed-in'?"),
        ("site-consumption-capacity: 15 kW", "site-consumption-capacity: 150 kW",
         "107:30: 150 kW is more than site-power-capacity (17.25 kW)"),
        ("site-power-capacity", "site-power-capcity",
         "106:3: unknown key 'site-power-capcity'; did you mean 'site-power-capacity'?"),
        ("grid-connection:", "grid-conection:",
         "47:1: unknown key 'grid-conection'; did you mean 'grid-connection'?"),
    ],
)  # fmt: skip
def test_a_typo_is_one_line_with_its_remedy(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert problems_of(tmp_path, (old, new)) == [said]


def test_all_problems_come_at_once_and_in_order(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        ("{sensor: feed-in}", "{sensor: grid.power}"),
        ("soc: 45 kWh", "soc: 450 kWh"),
        ("device: hybrid", "device: meter"),
    )
    assert found == [
        "55:13: 'eastron-sdm630' has no battery (it has grid)",
        "56:5: nobody knows its state of charge: add state-of-charge: {sensor: …} or soc-at-start",
        "83:30: 450 kWh is more than it stores (60 kWh)",
        "105:30: 'grid.power' is in kW, not a price: name one of prices",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{profile: foxess-h3, host: 192.168.1.21}",
         "{profile: foxess-h3, host: a, broker: local}",
         "35:49: this device speaks Modbus: remove broker"),
        ("    broker: local\n", "", "37:3: missing key 'broker': one of brokers; known: local"),
        ("    broker: local", "    broker: local\n    host: 10.0.0.1",
         "40:11: this device speaks MQTT through its broker: remove host"),
        ("phases: 3", "phases: three", "42:15: should be a number, not 'three'"),
        ("phases: 3", "phases: 4", "42:15: should be 1, 2 or 3, not 4"),
        ("phases: 3", "phase: 3", "42:14: unknown option 'phase'; did you mean 'phases'?"),
    ],
)  # fmt: skip
def test_devices_and_their_options(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert problems_of(tmp_path, (old, new)) == [said]


def test_a_price_file_is_named_when_missing_and_found_beside_the_site(tmp_path: Path) -> None:
    change = ("fixed: 0.08 EUR/kWh", "{file: feed.csv, unit: EUR/MWh}")
    assert problems_of(tmp_path, change) == [f"24:12: there is no file {tmp_path / 'feed.csv'}"]
    (tmp_path / "feed.csv").write_text("start,value\n")
    source = load_site(tmp_path / "site.yaml").site.prices["feed-in"]
    assert isinstance(source, FilePrice)
    assert source.file == str(tmp_path / "feed.csv")


def test_a_password_file_likewise(tmp_path: Path) -> None:
    change = ("port: 1883}", "port: 1883, password-file: secret}")
    assert problems_of(tmp_path, change) == [f"28:58: there is no file {tmp_path / 'secret'}"]
    (tmp_path / "secret").write_text("x")
    broker = load_site(tmp_path / "site.yaml").site.brokers["local"]
    assert broker.password_file == str(tmp_path / "secret")


def test_a_broken_profile_is_told_once_in_its_own_file(tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    own = folder / "foxess-h3.yaml"
    own.write_text("profile: foxess-h3\ndriver: modbus\n")
    with pytest.raises(ConfigError) as caught:
        load_site(EXAMPLES / "home.yaml", [folder])
    assert {problem.file for problem in caught.value.problems} == {str(own)}


def test_currencies_are_one(tmp_path: Path) -> None:
    changes = (("otherwise: 0.22 EUR/kWh", "otherwise: 0.22 CHF/kWh"),
               ("{sensor: feed-in}", "{sensor: feed-in, default: 0.1 USD/kWh}"))  # fmt: skip
    assert problems_of(tmp_path, *changes) == [
        "20:16: is in CHF, but the other prices are in EUR",
        "105:48: is in USD, but the other prices are in EUR",
    ]
