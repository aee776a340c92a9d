"""The built-in drivers as installed, also where the tests run in a plain checkout."""

import tomllib
from pathlib import Path

import pytest

from flexedge.drivers.registry import GROUP

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What pyproject.toml declares, found the way an installed package's drivers are."""
    declared: dict[str, str] = tomllib.loads(PYPROJECT.read_text())["project"]["entry-points"][
        GROUP
    ]
    info = tmp_path / "flexedge_declared-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flexedge-declared\nVersion: 1\n")
    lines = [f"{name} = {value}" for name, value in declared.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))
    monkeypatch.syspath_prepend(str(tmp_path))
    return declared
