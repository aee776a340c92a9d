from pathlib import Path

import pytest

from flexedge.cli.main import main
from flexedge.config.settings import Settings


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What the daemon was to be started with; the daemon itself: tests/daemon/test_run.py."""
    settings: list[Settings] = []

    def start(given: Settings) -> int:
        settings.append(given)
        return 0

    monkeypatch.setattr("flexedge.daemon.run.main", start)
    for name in ("FLEXEDGE_SETTINGS", "FLEXEDGE_DATA_DIR", "FLEXEDGE_SITE"):
        monkeypatch.delenv(name, raising=False)
    return settings


def test_a_file_and_the_environment_above_it(
    started: list[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("site: home.yaml\nweb: {port: 80, host: 0.0.0.0}\n", encoding="utf-8")
    monkeypatch.setenv("FLEXEDGE_WEB__PORT", "8081")
    assert main(["run", "--settings", str(path)]) == 0
    (settings,) = started
    assert settings.site == tmp_path / "home.yaml"
    assert (settings.web.host, settings.web.port) == ("0.0.0.0", 8081)  # noqa: S104 (the point)


def test_a_file_that_is_not_there(
    started: list[Settings], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "settings.yaml"
    assert main(["run", "--settings", str(path)]) == 78
    assert capsys.readouterr().err.startswith(f"{path}: ")
    assert started == []
