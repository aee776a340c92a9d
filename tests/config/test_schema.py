"""The schemas accept what the loader accepts and refuse plain mistakes."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from flexedge.config.load import read_text, read_yaml
from flexedge.config.profiles import catalogue
from flexedge.config.schema import profile_schema, settings_schema, site_schema

EXAMPLES = Path(__file__).parents[2] / "config"


def faults(schema: dict[str, Any], data: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(data)]


@pytest.mark.parametrize("schema", [site_schema(), profile_schema(), settings_schema()])
def test_schemas_are_schemas(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"].startswith("flexedge ")
    assert faults(schema, {"nonsense": 1})


@pytest.mark.parametrize("name", ["home.yaml", "industry.yaml"])
def test_the_examples_fit(name: str) -> None:
    assert faults(site_schema(), read_yaml(EXAMPLES / name).data) == []


def test_the_settings_fit() -> None:
    assert faults(settings_schema(), read_yaml(EXAMPLES / "settings.yaml").data) == []
    assert faults(settings_schema(), {"web": {"port": "x"}}) == ["'x' is not of type 'integer'"]


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_the_profiles_fit(name: str) -> None:
    data = read_yaml(catalogue()[name]).data
    assert faults(profile_schema(), data) == []
    assert faults(profile_schema(), data | {"colour": "red"})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("guard-margin", "guard_margin"),
        ("type: solar", "type: sola"),
        ('time: "07:30"', "time: 730"),
        ("volume: 500 l", "volume: 500"),
        ("{sensor: feed-in}", "{sensr: feed-in}"),
    ],
)
def test_plain_mistakes_do_not_fit(old: str, new: str) -> None:
    text = (EXAMPLES / "home.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    assert faults(site_schema(), read_text(text.replace(old, new), "site").data)


def test_keys_are_described() -> None:
    schema = site_schema()
    assert schema["$defs"]["Asset"]["properties"]["control"]["description"] == (
        "False: watch and plan, but never write."
    )
    assert schema["properties"]["grid-connection"]
