import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flexedge import __version__
from flexedge.cli.main import main

HOME = Path(__file__).parents[2] / "config" / "home.yaml"
HEAVY = ("numpy", "duckdb", "sqlalchemy", "requests", "pydantic", "structlog", "highspy")
_LOADED = """
import sys
from flexedge.cli.main import main
try:
    main([sys.argv[1]])
finally:
    print("loaded", *(name for name in sys.argv[2:] if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("option", "start"), [("--version", f"flexedge {__version__}\n"), ("--help", "usage: flexedge")]
)
def test_what_is_asked_often_loads_little(option: str, start: str) -> None:
    command = [sys.executable, "-c", _LOADED, option, *HEAVY]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 0
    assert ended.stdout.startswith(start)
    assert ended.stderr == "loaded\n"


def test_as_a_module() -> None:
    command = [sys.executable, "-m", "flexedge", "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert ended.stdout == f"flexedge {__version__}\n"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    for command in ("run", "demo", "check", "config", "status", "show", "claim", "backup",
                    "factory-reset"):  # fmt: skip
        assert re.search(rf"\n    {command}\s", printed)


@pytest.mark.parametrize(
    "arguments",
    [[], ["dance"], ["check"], ["show"], ["config"], ["backup"], ["show", "beliefs"],
     ["status", "--loud"], ["demo", "--speed", "fast"]],
)  # fmt: skip
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("usage: flexedge")


def test_settings_that_are_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("web:\n  prot: 80\n", encoding="utf-8")
    assert main(["status", "--settings", str(path)]) == 78
    assert capsys.readouterr().err.startswith(f"{path}:2:3: unknown key 'prot'")


@pytest.mark.parametrize(
    "arguments", [["config", "schema"], ["check", str(HOME)]], ids=["much", "little"]
)
def test_a_reader_that_goes_away_is_no_error(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "flexedge", *arguments]
    buffered = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            command, env=buffered, stdout=writing, stderr=subprocess.PIPE, timeout=30, check=False
        )
    finally:
        os.close(writing)
    assert ended.stderr == b""
    assert ended.returncode == 0
