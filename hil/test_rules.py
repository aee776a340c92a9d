"""The black box stays black: a test that looked inside would be seen."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUFF = Path(sys.executable).with_name("ruff")


def verdict(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [RUFF, "check", "--no-cache", "--select", "TID251", "--stdin-filename",
         str(HERE / "test_planted.py"), "-"],
        cwd=HERE.parent,
        input=code,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "code",
    [
        "import flexedge\n",
        "from flexedge.demo import site\n",
        "import flexedge.web.api as api\n",
        "import time\n\ntime.sleep(1)\n",
    ],
)
def test_what_hil_must_not_use_is_seen(code: str) -> None:
    done = verdict(code)
    assert done.returncode == 1
    assert "TID251" in done.stdout


def test_a_test_from_outside_is_welcome() -> None:
    assert verdict("import requests\n").returncode == 0
