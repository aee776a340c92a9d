import json
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_core import to_json

from flexedge.wire.assets import (
    FIELDS,
    AssetChange,
    AssetPage,
    AssetsAsked,
    AssetTold,
    LegendsWanted,
    NewAsset,
    ViewWanted,
)

NEW = {"name": "x", "generic_asset_type_id": 1}


def said(body: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as wrong:
        NewAsset.model_validate(NEW | body)
    return [one["msg"].removeprefix("Value error, ") for one in wrong.value.errors()]


def test_json_travels_as_text_or_as_it_is() -> None:
    for given in ('{"a": 1}', {"a": 1}):
        assert NewAsset.model_validate(NEW | {"attributes": given}).attributes == {"a": 1}
    assert said({"flex_model": "[1]"}) == ["Should be a JSON object."]
    assert said({"sensors_to_show": {"a": 1}}) == ["Should be a JSON list."]
    assert len(said({"flex_context": "{"})) == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("latitude", -90.5, "Latitude -90.5 exceeds the minimum latitude of -90 degrees."),
        ("latitude", 90.5, "Latitude 90.5 exceeds the maximum latitude of 90 degrees."),
        ("longitude", 181, "Longitude 181.0 exceeds the maximum longitude of 180 degrees."),
        ("latitude", 1.12345678, "Latitudes and longitudes are limited to 7 decimal places."),
    ],
)
def test_places_are_on_earth(field: str, value: float, message: str) -> None:
    assert said({field: value}) == [message]


def test_numbers_are_ones_that_a_database_has() -> None:
    assert len(said({"parent_asset_id": 2**40})) == 1
    assert len(said({"name": ""})) == 1


def test_what_is_not_given_is_not_set() -> None:
    assert AssetChange.model_validate({"latitude": None}).model_fields_set == {"latitude"}


@pytest.mark.parametrize(
    "query",
    [
        {"account": "3", "per-page": "5", "sort-by": "id", "sort-dir": "asc"},
        {"account_id": "3", "per_page": "5", "sort_by": "id", "sort_dir": "asc"},
    ],
)
def test_queries_have_kebab_and_snake_names(query: dict[str, str]) -> None:
    asked = AssetsAsked.model_validate(query | {"all_accessible": "False"})
    assert (asked.account, asked.per_page, asked.sort_by, asked.sort_dir) == (3, 5, "id", "asc")
    assert not asked.all_accessible
    assert asked.page is None


def test_only_fields_of_assets_are_told() -> None:
    assert len(FIELDS) == 18
    assert AssetsAsked.model_validate({"fields": "id|sensors"}).fields == "id|sensors"
    with pytest.raises(ValidationError, match="Parameter 'x' is not a valid asset field"):
        AssetsAsked.model_validate({"fields": "id|x"})


def test_an_asset_is_told_in_the_order_of_names() -> None:
    assert list(AssetTold.model_fields) == sorted(AssetTold.model_fields)


def test_a_page_has_kebab_keys() -> None:
    page = AssetPage(data=[{"id": 1}], num_records=3, filtered_records=2)
    assert json.loads(to_json(page, by_alias=True)) == {
        "data": [{"id": 1}], "num-records": 3, "filtered-records": 2, "status": 200}  # fmt: skip


def test_preferences_have_defaults() -> None:
    assert ViewWanted.model_validate({"default_asset_view": "Audit Log"}).use_as_default
    assert LegendsWanted.model_validate({}).keep_legends_below_graphs
    with pytest.raises(ValidationError):
        ViewWanted.model_validate({"default_asset_view": "Nothing"})
