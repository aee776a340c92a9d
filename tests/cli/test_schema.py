import json

import pytest
from jsonschema import Draft202012Validator

from flexedge.cli.main import main


@pytest.mark.parametrize("of", ["site", "profile", "settings"])
def test_schemas(of: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema", of]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


def test_of_the_site_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    main(["config", "schema"])
    unsaid = capsys.readouterr().out
    main(["config", "schema", "site"])
    assert unsaid == capsys.readouterr().out
    assert "flex-context" in json.loads(unsaid)["properties"]


def test_of_something_else(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["config", "schema", "house"])
    assert caught.value.code == 2
    assert "invalid choice: 'house'" in capsys.readouterr().err
