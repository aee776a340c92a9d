from pathlib import Path

import pytest

from flexedge.cli.main import main


@pytest.fixture(autouse=True)
def _people(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("FLEXEDGE_SITE", str(folder / "no-site.yaml"))
    main(["add", "account", "Home", "--roles", "Consultancy"])
    main(["add", "user", "--username", "logger", "--account", "Home"])
    main(["add", "token", "--user", "logger", "--name", "sun", "--expires", "never"])


@pytest.mark.parametrize(
    ("what", "row"),
    [
        ("accounts", "1 Home Consultancy - -"),
        ("users", "1 logger - Home - yes -"),
        ("tokens", "1 sun 1 read never -"),
    ],
)
def test_all_of_a_kind_are_shown(what: str, row: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["show", what]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == row.split()
