"""A site with edits laid over it."""

from pathlib import Path

import pytest

from flexedge.config.check import LoadedSite, load_site
from flexedge.config.overlay import Overlay, overlaid, words
from flexedge.errors import ConfigError

HOME = Path(__file__).parents[2] / "config" / "home.yaml"


@pytest.fixture(scope="module")
def home() -> LoadedSite:
    return load_site(HOME)


def refusal(home: LoadedSite, overlay: Overlay) -> str:
    with pytest.raises(ConfigError) as caught:
        overlaid(home, overlay)
    return words(caught.value)


def test_nothing_laid_over_a_site_leaves_it_as_it_is(home: LoadedSite) -> None:
    assert overlaid(home, Overlay()) == home


def test_fields_take_the_place_of_those_in_the_file(home: LoadedSite) -> None:
    edited = overlaid(home, Overlay({"battery": {"soc-min": "2.5 kWh"}}, {"risk-weight": 0.0}))
    model, before = edited.site.assets["battery"].flex_model, home.site.assets["battery"].flex_model
    assert model.soc_min == 2.5
    assert model == before.model_copy(update={"soc_min": 2.5})
    assert edited.site.assets["car"] is home.site.assets["car"]
    assert edited.site.flex_context.risk_weight == 0.0
    assert edited.site.flex_context.consumption_price == home.site.flex_context.consumption_price


@pytest.mark.parametrize(
    ("overlay", "told"),
    [
        (Overlay({"battery": {"soc-min": 2}}), "assets.battery.flex-model.soc-min: "),
        (Overlay({"battery": {"soc-min": "2 kW"}}), "assets.battery.flex-model.soc-min: '2 kW'"),
        (Overlay({"battery": {"soc-minn": "2 kWh"}}),
         "assets.battery.flex-model.soc-minn: unknown key 'soc-minn'; did you mean 'soc-min'?"),
        (Overlay({"battery": {"soc-min": "9 kWh", "soc-max": "8 kWh"}}),
         "soc-min (9 kWh) lies above soc-max (8 kWh)"),
        (Overlay({"battery": {"soc-usage": [{"sensor": "nowhere"}]}}), "nowhere"),
        (Overlay({"battery": {"wear-cost": "1 USD/kWh"}}), "is in USD, but the other prices are"),
        (Overlay({"boat": {"soc-min": "1 kWh"}}),
         "assets.boat.flex-model: there is no such asset any more"),
        (Overlay(context={"consumption-price": {"sensor": "nowhere"}}), "nowhere"),
    ],
)  # fmt: skip
def test_an_edit_is_checked_like_the_file(home: LoadedSite, overlay: Overlay, told: str) -> None:
    assert told in refusal(home, overlay)


def test_all_that_is_wrong_is_told_at_once(home: LoadedSite) -> None:
    said = refusal(home, Overlay({"battery": {"soc-min": "x"}}, {"risk-weight": 3.0}))
    assert "assets.battery.flex-model.soc-min: " in said
    assert "flex-context.risk-weight: " in said
