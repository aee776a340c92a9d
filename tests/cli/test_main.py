import subprocess
import sys
from pathlib import Path

import pytest

from flexedge import __version__
from flexedge.cli.main import main

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
    for command in ("run", "demo", "check", "config", "status", "show", "claim"):
        assert f"\n    {command} " in printed


@pytest.mark.parametrize(
    "arguments",
    [[], ["dance"], ["check"], ["show"], ["config"], ["show", "beliefs"], ["status", "--loud"],
     ["demo", "--speed", "fast"]],
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


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = [sys.executable, "-m", "flexedge", "config", "schema"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(timeout=30) == 0
