"""What may be edited from elsewhere, and how far."""

from pathlib import Path

import pytest

from flexedge.config.check import LoadedSite, load_site
from flexedge.config.editable import CONTEXT, MODEL, OURS, beyond
from flexedge.config.overlay import Overlay, overlaid, words
from flexedge.domain.context import FlexContext
from flexedge.domain.flex import FlexModel
from flexedge.errors import ConfigError

HOME = Path(__file__).parents[2] / "config" / "home.yaml"


@pytest.fixture(scope="module")
def home() -> LoadedSite:
    return load_site(HOME)


def refusal(home: LoadedSite, overlay: Overlay) -> str:
    with pytest.raises(ConfigError) as caught:
        overlaid(home, overlay)
    return words(caught.value)


def test_every_field_of_the_tables_is_one_of_the_models() -> None:
    assert MODEL.keys() <= {one.alias for one in FlexModel.model_fields.values()}
    assert CONTEXT.keys() <= {one.alias for one in FlexContext.model_fields.values()}


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("power-capacity", "5.1 kW", "should be at most 5.0 kW, as the site file says, not 5.1 kW"),
        ("soc-min", "0.9 kWh", "should be at least 1.0 kWh, as the site file says, not 0.9 kWh"),
        ("soc-max", "11 kWh", "should be at most 10.0 kWh, as the site file says, not 11.0 kWh"),
        ("soc-max", {"sensor": "battery.soc"}, "assets.battery.flex-model.soc-max: "),
        ("power-capacity", {"sensor": "battery.power"}, "is fixed by the site file, 5.0 kW"),
    ],
)  # fmt: skip
def test_a_limit_is_never_looser_than_the_site_file(
    home: LoadedSite, key: str, value: object, told: str
) -> None:
    said = refusal(home, Overlay({"battery": {key: value}}))
    assert f"assets.battery.flex-model.{key}: " in said
    assert told in said


@pytest.mark.parametrize(
    ("key", "value"),
    [("power-capacity", "5 kW"), ("power-capacity", "0 kW"), ("soc-min", "3 kWh"),
     ("soc-max", "8 kWh"), ("roundtrip-efficiency", "70%"), ("ramp-up-limit", "2 kW/h")],
)  # fmt: skip
def test_a_limit_may_be_tighter_and_an_estimate_anything(
    home: LoadedSite, key: str, value: str
) -> None:
    edited = overlaid(home, Overlay({"battery": {key: value}})).site
    assert list(beyond(home.site, edited)) == []


def test_the_grid_connection_keeps_its_capacity(home: LoadedSite) -> None:
    said = refusal(home, Overlay(context={"site-consumption-capacity": "16 kW"}))
    assert said == (
        "flex-context.site-consumption-capacity: should be at most 15.0 kW, as the site file says, "
        "not 16.0 kW"
    )
    edited = overlaid(home, Overlay(context={"site-consumption-capacity": "4.2 kW"})).site
    assert edited.flex_context.site_consumption_capacity == 4.2


def test_what_a_sensor_says_by_the_site_file_stays_with_it(home: LoadedSite) -> None:
    said = refusal(home, Overlay({"solar": {"production-capacity": "1 kW"}}))
    assert "comes from a sensor by the site file, {sensor: solar.power}" in said


def accepting(tmp_path: Path, accept: str) -> Path:
    text = HOME.read_text(encoding="utf-8")
    path = tmp_path / "site.yaml"
    path.write_text(f"{text}\ncentres: {{main: {{accept: {accept}}}}}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("accept", "told"),
    [
        ("{flex-model: [soc-mim]}", "'soc-mim' cannot be edited from elsewhere; did you mean"),
        ("{flex-model: [operation-modes]}", "'operation-modes' cannot be edited from elsewhere"),
        ("{flex-context: [relax-constraints]}", "'relax-constraints' cannot be edited from"),
        ("{attributes: [flexedge-commands]}", "'flexedge-commands' is the gateway's own"),
    ],
)
def test_only_what_can_be_edited_can_be_accepted(tmp_path: Path, accept: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_site(accepting(tmp_path, accept))


def test_a_list_of_what_can_be_edited_is_accepted(tmp_path: Path) -> None:
    path = accepting(tmp_path, "{flex-model: [soc-min], flex-context: [risk-weight]}")
    assert load_site(path).site.centres["main"].accept.flex_model == ("soc-min",)
    assert "flexedge" in OURS
