import json
from pathlib import Path

import pytest

from flexedge.cli.main import main

ROOT = Path(__file__).parents[2]
HOME = ROOT / "config" / "home.yaml"
MISTAKES = (
    ("host: 192.168.1.20}", "hots: 192.168.1.20}"),
    ("soc-max: 10 kWh", "soc-max: 10 kW"),
    ("site-power-capacity: 17.25 kW", "site-power-capacity: 17.25 kWx"),
)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    text = HOME.read_text(encoding="utf-8")
    for old, new in MISTAKES:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def lines_of(path: Path) -> list[int]:
    text = path.read_text(encoding="utf-8")
    return [line_of(text, new) for _, new in MISTAKES]


def test_a_good_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(HOME)]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{HOME}: good (5 devices, 5 assets)\n"
    assert captured.err == ""


def test_a_good_file_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", str(HOME)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"ok": True, "devices": 5, "assets": 5, "problems": []}


def test_every_mistake_with_its_line(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(broken)]) == 78
    captured = capsys.readouterr()
    *problems, count = captured.err.splitlines()
    assert captured.out == ""
    assert count == "3 problems found"
    starts = [f"{broken}:{line}:" for line in lines_of(broken)]
    assert len(problems) == 3
    assert all(p.startswith(s) for p, s in zip(problems, starts, strict=True)), problems
    assert "unknown key 'hots'; did you mean 'host'?" in problems[0]


def test_every_mistake_as_json(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", str(broken)]) == 78
    captured = capsys.readouterr()
    assert captured.err == ""
    said = json.loads(captured.out)
    assert said["ok"] is False
    assert [problem["line"] for problem in said["problems"]] == lines_of(broken)
    assert {problem["file"] for problem in said["problems"]} == {str(broken)}
    assert all(problem["column"] > 1 and problem["message"] for problem in said["problems"])


def test_one_mistake_is_one_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "missing.yaml"
    assert main(["check", str(path)]) == 78
    first, count = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{path}: ")
    assert count == "1 problem found"


def test_profiles_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site, profiles = tmp_path / "site.yaml", tmp_path / "profiles"
    text = HOME.read_text(encoding="utf-8").replace("profile: foxess-h3", "profile: my-battery")
    site.write_text(text, encoding="utf-8")
    assert main(["check", str(site)]) == 78
    assert "there is no profile 'my-battery'" in capsys.readouterr().err
    shipped = ROOT / "flexedge" / "config" / "catalogue" / "foxess-h3.yaml"
    profiles.mkdir()
    profile = shipped.read_text(encoding="utf-8").replace("foxess-h3", "my-battery")
    (profiles / "my-battery.yaml").write_text(profile, encoding="utf-8")
    assert main(["check", "--profiles", str(profiles), str(site)]) == 0
