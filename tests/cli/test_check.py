import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "flexedge" / "config" / "catalogue"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    text = (ROOT / "config" / "home.yaml").read_text(encoding="utf-8")
    text = text.replace("type: solar", "type: solr").replace("{fixed: 0.08", "{fixed: 0,08")
    text = text.replace("    fixed: 0.08 EUR/kWh", "    fixed: 0.08 EUR")
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "devices", "assets"), [("home", 5, 5), ("industry", 4, 4)])
def test_shipped_sites_are_good(run: "Run", name: str, devices: int, assets: int) -> None:
    path = ROOT / "config" / f"{name}.yaml"
    ran = run("check", str(path))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{path}: good ({devices} devices, {assets} assets)\n"


def test_every_problem_is_told_at_once_with_its_place(run: "Run", broken: Path) -> None:
    ran = run("check", str(broken))
    assert (ran.code, ran.out) == (78, "")
    *problems, last = ran.err.splitlines()
    assert len(problems) == 2
    assert all(problem.startswith(f"{broken}:") for problem in problems)
    assert "did you mean 'solar'?" in problems[1]
    assert last == "2 problems found"


def test_one_problem_is_one_problem(run: "Run", tmp_path: Path) -> None:
    ran = run("check", str(tmp_path / "missing.yaml"))
    assert ran.code == 78
    assert ran.err.splitlines()[-1] == "1 problem found"


def test_programs_read_json(run: "Run", broken: Path) -> None:
    ran = run("check", "--json", str(broken))
    content = json.loads(ran.out)
    assert (ran.code, ran.err, content["ok"]) == (78, "", False)
    for problem in content["problems"]:
        assert problem["file"] == str(broken)
        assert problem["line"] > 1
        assert problem["column"] > 1
        assert problem["message"]
    good = run("check", "--json", str(ROOT / "config" / "home.yaml"))
    assert json.loads(good.out) == {"ok": True, "devices": 5, "assets": 5, "problems": []}


def test_profiles_of_ones_own_are_found(run: "Run", tmp_path: Path) -> None:
    own = (CATALOGUE / "foxess-h3.yaml").read_text(encoding="utf-8")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "my-hybrid.yaml").write_text(own.replace("foxess-h3", "my-hybrid", 1))
    site = (ROOT / "config" / "home.yaml").read_text(encoding="utf-8")
    path = tmp_path / "site.yaml"
    path.write_text(site.replace("foxess-h3", "my-hybrid"), encoding="utf-8")
    without = run("check", str(path))
    assert without.code == 78
    assert "there is no profile 'my-hybrid'" in without.err
    assert run("check", "--profiles", str(tmp_path / "own"), str(path)).code == 0
