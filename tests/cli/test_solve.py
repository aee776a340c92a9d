"""flexedge solve FILE."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from flexedge.cli.main import main
from tests.optim.request.asking import BATTERY, problem


def solve(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, Any]:
    code = main(["solve", str(path), *options])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(problem([BATTERY])))
    return path


def test_a_problem_is_answered_in_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = solve(file, capsys)
    assert code == 0
    assert told["status"] == "optimal"
    assert {"outputs", "commitment-costs", "objective", "cost", "soc", "unresolved", "resolved",
            "explanation", "solver"} < set(told)  # fmt: skip
    brief = solve(file, capsys, "--no-explanation", "--compat", "flexmeasures-1.0")[1]
    assert "explanation" not in brief


def test_standard_input_is_a_file(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    assert solve(Path("-"), capsys)[1]["status"] == "optimal"


def test_what_is_wrong_is_json_with_its_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(problem([{**BATTERY, "soc-max": "10 kW"}])))
    code, told = solve(path, capsys)
    assert code == 2
    assert told["error"]["path"] == "flex-model[0].soc-max"
    assert "write it as '10 kWh'" in told["error"]["message"]
    path.write_text("{")
    assert "is not JSON" in solve(path, capsys)[1]["error"]["message"]
    assert "cannot be read" in solve(tmp_path / "none.json", capsys)[1]["error"]["message"]


def test_a_time_limit_is_a_time(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = solve(file, capsys, "--time-limit", "0")
    assert (code, told["error"]["path"]) == (2, "--time-limit")


def test_physics_that_contradicts_itself_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = [
        {"sensor": "out", "coupling": "engine", "consumption-capacity": "3 kW",
         "production-capacity": "0 kW",
         "operation-modes": [{"consumption-range": ["2 kW", "3 kW"]}]},
        {"sensor": "out2", "coupling": "engine", "production-capacity": "1 kW",
         "consumption-capacity": "0 kW"},
    ]  # fmt: skip
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(problem(engine)))
    code, told = solve(path, capsys)
    assert code == 2
    assert told["error"]["type"] == "infeasible"
