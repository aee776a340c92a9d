from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--fault", "moon:stop@60"), "moon"),
        (("--start", "2026-04-14T00:00"), "a start needs a speed other than 1"),
        (("--start", "soon", "--speed", "60"), "soon"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_starts(
    run: "Run", tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = run("demo", "--folder", str(tmp_path / "demo"), *arguments)
    assert ran.code == 2
    assert ran.err.startswith("flexedge demo: ")
    assert said in ran.err
    assert not (tmp_path / "demo").exists()


def test_a_folder_with_something_else_in_it_is_left_alone(run: "Run", tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    ran = run("demo", "--folder", str(tmp_path))
    assert ran.code == 2
    assert "holds something else" in ran.err
    assert (tmp_path / "thesis.txt").exists()
