import argparse
from pathlib import Path

import pytest

from flexedge.cli import demo
from flexedge.cli.main import _parser, main
from flexedge.demo.options import Options


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """What the demo was to be started with, instead of the start."""
    options: list[Options] = []

    def start(given: Options) -> int:
        options.append(given)
        return 7

    monkeypatch.setattr("flexedge.demo.run.main", start)
    return options


def test_nothing_said(started: list[Options]) -> None:
    assert main(["demo"]) == 7
    assert started == [Options()]


def test_everything_said(started: list[Options], tmp_path: Path) -> None:
    arguments = (
        "--speed 60 --days 0.5 --seed 4 --start 2026-01-02 --port 8081 --fault battery:stop@60+10 "
        f"--fault meter:silence@60+30 --keep --json --folder {tmp_path}"
    )
    assert main(["demo", *arguments.split()]) == 7
    assert started == [
        Options(
            speed=60.0,
            days=0.5,
            seed=4,
            json=True,
            port=8081,
            start="2026-01-02",
            faults=("battery:stop@60+10", "meter:silence@60+30"),
            folder=tmp_path,
            keep=True,
        )
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--start", "2026-01-02"], "a start needs a speed other than 1"),
        (["--start", "x", "--speed", "9"], "'x'"),
        (["--fault", "battery"], "'battery' is not a fault"),
    ],
)
def test_what_cannot_be_starts_nothing(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "demo"
    assert main(["demo", "--folder", str(folder), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("flexedge demo: ")
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert not folder.exists()


def test_the_folder_of_something_else_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter").write_text("dear", encoding="utf-8")
    options: argparse.Namespace = _parser().parse_args(["demo", "--folder", str(tmp_path)])
    assert demo.run(options) == 2
    assert "holds something else" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]
