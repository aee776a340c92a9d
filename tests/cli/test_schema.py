import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

if TYPE_CHECKING:
    from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
EXAMPLES = {
    "site": ROOT / "config" / "home.yaml",
    "profile": ROOT / "flexedge" / "config" / "catalogue" / "foxess-h3.yaml",
    "settings": ROOT / "config" / "settings.yaml",
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_schema_is_valid_and_knows_its_files(run: "Run", kind: str) -> None:
    ran = run("config", "schema", kind)
    assert (ran.code, ran.err) == (0, "")
    schema = json.loads(ran.out)
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    content = yaml.safe_load(EXAMPLES[kind].read_text(encoding="utf-8"))
    assert list(check.iter_errors(content)) == []
    assert list(check.iter_errors(content | {"no-such-key": 1})) != []


def test_without_a_kind_it_is_the_sites(run: "Run") -> None:
    assert run("config", "schema").out == run("config", "schema", "site").out


def test_an_unknown_kind_is_named(run: "Run") -> None:
    ran = run("config", "schema", "house")
    assert ran.code == 2
    assert "invalid choice: 'house'" in ran.err
