import json
import os
from pathlib import Path

import pytest

from flexedge import __version__
from flexedge.cli.main import main
from flexedge.store.lock import hold
from flexedge.store.state import State


@pytest.fixture
def used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder, with a state in it."""
    data = folder / "data"
    data.mkdir()
    monkeypatch.setenv("FLEXEDGE_DATA_DIR", str(data))
    state = State(data / "state.db")
    state.remember("owner", "me")
    state.close()
    return data


def fact(folder: Path) -> str | None:
    state = State(folder / "state.db")
    try:
        return state.fact("owner")
    finally:
        state.close()


def test_create_verify_wipe_restore(
    used: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.tar"
    assert main(["backup", "create", str(file)]) == 0
    assert capsys.readouterr().out.startswith(f"{file}: 1 files, 0.3 MB, made 20")
    assert main(["backup", "verify", str(file)]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{file} is whole: 1 files, ")
    assert told.endswith(f" by flexedge {__version__}\n")
    assert main(["factory-reset", "--yes"]) == 0
    assert capsys.readouterr().out.startswith(f"{used} is empty; ")
    assert main(["backup", "restore", str(file)]) == 0
    assert capsys.readouterr().out.startswith(f"{used} is restored from {file}: 1 files, ")
    assert fact(used) == "me"


def test_a_backup_is_named_by_its_time(
    used: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["backup", "create", "--json"]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert [item["name"] for item in manifest["items"]] == ["state.db"]
    (made,) = tmp_path.glob("flexedge-backup-20*Z.tar")
    assert manifest["made"].translate(str.maketrans("", "", "-:"))[:15] in made.name
    assert fact(used) == "me"


def test_what_is_there_is_replaced_by_force_only(
    used: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.tar"
    assert main(["backup", "create", str(file)]) == 0
    state = State(used / "state.db")
    state.remember("owner", "somebody else")
    state.close()
    assert main(["backup", "restore", str(file)]) == 69
    assert "which --force would replace" in capsys.readouterr().err
    assert fact(used) == "somebody else"
    assert main(["backup", "restore", "--force", str(file)]) == 0
    assert fact(used) == "me"


def test_while_the_gateway_runs_nothing_is_restored(
    used: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.tar"
    with hold(used):
        assert main(["backup", "create", str(file)]) == 0
        capsys.readouterr()
        assert main(["backup", "restore", "--force", str(file)]) == 75
    error = capsys.readouterr().err
    assert error == f"flexedge: {used} is in use by another flexedge (process {os.getpid()})\n"


@pytest.mark.parametrize("what", ["verify", "restore"])
def test_a_file_that_is_no_backup(
    used: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    assert main(["backup", what, str(tmp_path / "none.tar")]) == 69
    assert (
        capsys.readouterr().err == f"flexedge: {tmp_path / 'none.tar'}: No such file or directory\n"
    )
    (tmp_path / "text.tar").write_text("hello")
    assert main(["backup", what, str(tmp_path / "text.tar")]) == 69
    assert "backup" in capsys.readouterr().err
    assert fact(used) == "me"


@pytest.mark.parametrize("command", [["backup", "create"], ["factory-reset", "--yes"]])
def test_a_database_is_not_taken_for_an_empty_folder(
    used: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEXEDGE_DATABASE", "postgresql://host/name")
    assert main(command) == 69
    assert fact(used) == "me"
