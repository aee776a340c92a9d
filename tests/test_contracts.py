"""Each import contract is proven: a planted violation is seen."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PLANTS = {
    "floors": ("domain/planted.py", "import flexedge.gateway.view\n"),
    "families": ("drivers/mqtt/planted.py", "import flexedge.drivers.modbus.codec\n"),
    "quiet": ("optim/planted.py", "import structlog\n"),
    "one door": ("gateway/planted.py", "import duckdb\n"),
}


def lint(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()",
         "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contracts")
    shutil.copytree(
        ROOT / "flexedge", folder / "flexedge", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / ".importlinter", folder)
    return folder


def verdicts(report: str) -> dict[str, bool]:
    """Contract name to whether it was kept."""
    found = re.findall(r"^(\w[\w ]*): .* (KEPT|BROKEN)", report, flags=re.MULTILINE)
    return {name: verdict == "KEPT" for name, verdict in found}


def test_the_house_keeps_its_contracts(copy: Path) -> None:
    report = lint(copy)
    assert verdicts(report) == dict.fromkeys(PLANTS, True), report


@pytest.mark.parametrize("contract", PLANTS)
def test_a_planted_violation_is_seen(copy: Path, contract: str) -> None:
    place, code = PLANTS[contract]
    planted = copy / "flexedge" / place
    planted.write_text(code)
    try:
        report = lint(copy)
    finally:
        planted.unlink()
    assert verdicts(report) == {name: name != contract for name in PLANTS}, report
    assert "planted" in report


def test_a_package_outside_the_floors_is_seen(copy: Path) -> None:
    attic = copy / "flexedge" / "attic"
    attic.mkdir()
    (attic / "__init__.py").write_text("")
    try:
        assert "attic" in lint(copy)
    finally:
        shutil.rmtree(attic)
