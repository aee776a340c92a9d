import io
import os
from pathlib import Path

import pytest

from flexedge.cli.main import main
from flexedge.store.lock import hold

HOME = Path(__file__).parents[2] / "config" / "home.yaml"


@pytest.fixture
def used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLEXEDGE_SITE", str(HOME))
    (folder / "state.db").write_text("a state")
    (folder / "site.yaml").write_text("mine")
    return folder


def typed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_who_types_the_name_of_the_site_means_it(
    used: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed("Home\n", monkeypatch)
    assert main(["factory-reset"]) == 0
    told = capsys.readouterr().out
    assert f"in {used}, for good" in told
    assert "Type the name of the site, Home, to go on: " in told
    assert sorted(path.name for path in used.iterdir()) == ["lock", "site.yaml"]


@pytest.mark.parametrize("text", ["yes\n", "", "home\n"])
def test_anything_else_deletes_nothing(
    used: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    typed(text, monkeypatch)
    assert main(["factory-reset"]) == 1
    assert capsys.readouterr().err == "nothing was deleted\n"
    assert (used / "state.db").read_text() == "a state"


def test_nobody_is_asked_who_says_yes(used: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["factory-reset", "--yes"]) == 0
    assert "Type" not in capsys.readouterr().out
    assert not (used / "state.db").exists()


def test_a_gateway_that_runs_keeps_everything(
    used: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hold(used):
        assert main(["factory-reset", "--yes"]) == 75
    assert f"in use by another flexedge (process {os.getpid()})" in capsys.readouterr().err
    assert (used / "state.db").read_text() == "a state"


def test_a_folder_that_is_not_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLEXEDGE_DATA_DIR", str(folder / "none"))
    assert main(["factory-reset", "--yes"]) == 69
    assert capsys.readouterr().err == f"flexedge: {folder / 'none'}: No such file or directory\n"
