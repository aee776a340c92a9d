from pathlib import Path

import pytest

from flexedge.cli.main import EX_CONFIG, EX_UNAVAILABLE, main


def test_wrong_settings_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = folder / "settings.yaml"
    settings.write_text("web: {prot: 8440}\n")
    assert main(["serve", "--settings", str(settings)]) == EX_CONFIG
    assert "settings.yaml:1" in capsys.readouterr().err


def test_a_folder_that_cannot_be_used_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").touch()
    monkeypatch.setenv("FLEXEDGE_DATA_DIR", str(folder / "file" / "data"))
    assert main(["serve"]) == EX_UNAVAILABLE
    assert "choose another data-dir" in capsys.readouterr().err
