"""Edits as plain values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flexedge.config.site import Asset as Written
from flexedge.domain.flex import FlexModel
from flexedge.gateway.amended import (
    Amendment,
    Change,
    Kept,
    Trial,
    entry,
    is_laid,
    keep,
    kept,
    laid_with,
    looser,
    named,
    overlay,
    shown,
)
from flexedge.gateway.plant import Unit
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset

NOW = datetime(2026, 4, 14, 10, 5, tzinfo=UTC)
NAMES = {7: "feed-in"}


def edit(theirs: Any = "2 kWh", **fields: Any) -> Amendment:
    known: dict[str, Any] = {
        "centre": "main", "thing": "asset", "number": 3, "about": "battery",
        "column": "flex_model", "field": "soc-min", "ours": "1 kWh", "theirs": theirs,
    }  # fmt: skip
    return Change(**known | fields).become("on trial", NOW)


def test_what_is_kept_is_read_as_it_was(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    assert kept(state) == Kept()
    one = edit([{"sensor": 7, "default": "1 kW"}])
    trial = Trial(centre="main", since=NOW, until=NOW + timedelta(minutes=10), heard=NOW,
                  edits=(one,), before=(), well=("hybrid",), planned=True)  # fmt: skip
    refused = replace(one, field="soc-max", fate="refused", why="too much")
    some = Kept((one,), trial, (refused,))
    assert some.all() == (one, refused)
    keep(state, some)
    state.close()
    state = State(tmp_path / "state.db")
    assert kept(state) == some
    state.remember("gateway.amendments", "{")
    assert kept(state) is None
    state.close()
    assert trial.silence == timedelta(minutes=5)


def test_people_read_names_and_what_became_of_it() -> None:
    one = replace(edit({"sensor": 7}), fate="refused", why="not accepted")
    told = shown(one, NAMES.get)
    assert told.sentence == (
        "battery: soc-min {'sensor': 'feed-in'} instead of 1 kWh (refused: not accepted)"
    )
    assert edit(None).sentence == "battery: soc-min nothing instead of 1 kWh (on trial)"
    assert entry(one, NOW).what == "Edit of battery, soc-min: refused (not accepted)"
    assert entry(one, NOW).asset_id == 3
    assert named([{"sensor": 8}, 7], NAMES.get) == [{"sensor": "sensor 8"}, 7]


def test_the_newest_edit_of_a_field_counts_whoever_made_it() -> None:
    old, other = edit(), edit("9 kWh", field="soc-max")
    new = edit("3 kWh", centre="second")
    assert laid_with((old, other), new) == (other, new)
    assert laid_with((old, other), edit(None)) == (other,)


def test_edits_become_what_the_site_file_would_say() -> None:
    assets = {1: Asset("Hut", "building", defined_as=""),
              3: Asset("battery", "battery", 1, 1, "battery")}  # fmt: skip
    context = edit({"sensor": 7}, number=1, about="Hut", column="flex_context", field="a-price")
    told = overlay((edit(), context), assets, NAMES.get)
    assert told.models == {"battery": {"soc-min": "2 kWh"}}
    assert told.context == {"a-price": {"sensor": "feed-in"}}


def test_only_what_the_site_file_defines_is_laid_over_it() -> None:
    site = Asset("Hut", "building", defined_as="")
    assert is_laid(replace(site, defined_as="battery"), edit())
    assert is_laid(site, edit(column="flex_context"))
    assert not is_laid(site, edit())
    assert not is_laid(replace(site, defined_as=None), edit())
    assert not is_laid(None, edit())
    assert not is_laid(site, edit(column="attributes"))


def unit(**fields: Any) -> Unit:
    written = Written(type="battery", flex_model=FlexModel().model_copy(update=fields))
    return Unit("battery", written, None, {}, written)


def test_looser_names_what_would_be_more_than_the_installer_allows() -> None:
    before = unit(power_capacity=5.0, soc_min=1.0, soc_max=10.0, minimum_power=1.0)
    assert looser(before, before) == ""
    tighter = unit(power_capacity=4.0, soc_min=2.0, soc_max=9.0, minimum_power=2.0)
    assert looser(before, tighter) == ""
    for fields, told in (
        ({"power_capacity": 6.0}, "go from -6 to 6 kW: by the site file it goes from -5 to 5 kW"),
        ({"soc_min": 0.5}, "go down to 0.5 kWh: by the site file it keeps 1 kWh"),
        ({"soc_max": 11.0}, "hold 11 kWh: soc-max is up to the site file"),
        ({"minimum_power": 0.5}, "run with 0.5 kW: by the site file it needs 1 kW"),
    ):
        model = before.model.model_copy(update=fields)
        asset = before.asset.model_copy(update={"flex_model": model})
        assert told in looser(before, replace(before, asset=asset, keeper=asset))
    without = unit(power_capacity=5.0)
    assert "soc-max is up to the site file" in looser(
        without, unit(power_capacity=5.0, soc_max=1.0)
    )
