from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Run

HOME = Path(__file__).parents[2] / "config" / "home.yaml"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(f"site: {HOME}\ndata-dir: data\nlog: {{format: json}}\n")
    return path


def test_settings_name_the_site(run: "Run", tmp_path: Path, settings: Path) -> None:
    settings.write_text("site: none.yaml\n")
    ran = run("run", "--settings", str(settings))
    assert ran.code == 78
    assert ran.err.startswith(str(tmp_path / "none.yaml"))
