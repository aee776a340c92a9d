import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flexedge import __version__

if TYPE_CHECKING:
    from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
COMMANDS = ("run", "demo", "check", "config", "status", "show", "claim")
HEAVY = (
    "numpy", "duckdb", "sqlalchemy", "requests", "pydantic", "yaml", "highspy", "pymodbus",
    "paho", "uvicorn", "starlette", "apscheduler", "structlog", "argon2", "jinja2", "asyncio",
)  # fmt: skip
LOADED = """
import sys
from flexedge.cli.main import main
try:
    main({arguments!r})
except SystemExit as ended:
    assert not ended.code, ended.code
print("loaded:", *sorted({{name.partition(".")[0] for name in sys.modules}}))
"""


def test_the_version_is_the_packages(run: "Run") -> None:
    assert run("--version").out == f"flexedge {__version__}\n"


def test_help_names_every_command(run: "Run") -> None:
    ran = run("--help")
    assert ran.code == 0
    assert all(f"\n    {command} " in ran.out for command in COMMANDS)
    for command in COMMANDS:
        assert run(command, "--help").code == 0


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["show", "beliefs", "--help"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    code = LOADED.format(arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1].split()
    assert "argparse" in loaded
    assert set(loaded) & set(HEAVY) == set()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("fly",), "invalid choice: 'fly'"),
        (("check",), "the following arguments are required: FILE"),
        (("show",), "the following arguments are required: WHAT"),
        (("config",), "the following arguments are required: WHAT"),
        (("demo", "--speed", "fast"), "invalid float value: 'fast'"),
    ],
)
def test_what_is_typed_wrong_is_said(run: "Run", arguments: tuple[str, ...], said: str) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert said in ran.err


def test_settings_that_are_wrong_are_told_with_their_place(run: "Run", tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("web:\n  port: 99999\n")
    ran = run("status", "--settings", str(path))
    assert ran.code == 78
    assert ran.err.startswith(f"{path}:2:9: ")
    missing = run("status", "--settings", str(tmp_path / "missing.yaml"))
    assert missing.code == 78


def test_the_module_is_the_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flexedge", "check", tmp_path / "none.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 78
    assert "1 problem found" in done.stderr


@pytest.mark.parametrize(
    "arguments", [("config", "schema"), ("check", str(ROOT / "config" / "home.yaml"))]
)
def test_a_reader_that_goes_away_is_no_trouble(arguments: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "flexedge", *arguments],
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        assert program.stderr.read() == b""
        assert program.wait(20) == 0
