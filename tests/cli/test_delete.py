import json
from pathlib import Path

import pytest

from flexedge.cli.main import main


@pytest.fixture(autouse=True)
def _people(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("FLEXEDGE_SITE", str(folder / "no-site.yaml"))
    main(["add", "account", "Home"])
    main(["add", "user", "--username", "logger", "--account", "Home"])
    main(["add", "token", "--user", "logger", "--name", "sun"])


def test_what_is_deleted_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["delete", "account", "Home"]) == 69
    assert main(["delete", "token", "sun"]) == 69
    assert main(["delete", "token", "1"]) == 0
    assert main(["delete", "user", "logger"]) == 0
    capsys.readouterr()
    assert main(["delete", "account", "Home", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"deleted": "account", "id": 1}
    assert main(["delete", "account", "Home"]) == 69
    assert "there is no account 'Home'; there are none" in capsys.readouterr().err
