import json
import subprocess
import sys

import pytest

from flexedge.cli.output import ago, print_json, table, text


def test_columns_line_up_and_numbers_stand_to_the_right() -> None:
    made = table(("asset", "kW"), [("battery", -1.25), ("car", 11.0), ("solar", None)])
    assert made.splitlines() == [
        "asset       kW",
        "battery  -1.25",
        "car         11",
        "solar        -",
    ]


def test_an_empty_table_is_its_head() -> None:
    assert table(("a", "b"), []) == "a  b"


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (None, "-"),
        ("", "-"),
        (True, "yes"),
        (1.0, "1"),
        (0.12345, "0.123"),
        (-0.0004, "0"),
        (2e7, "2e+07"),
        (3, "3"),
    ],
)
def test_cells_say_what_they_are(cell: object, shown: str) -> None:
    assert text(cell) == shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "never"), (3.4, "3 s ago"), (130, "2 min ago"), (7300, "2 h ago"), (172801, "2 d ago")],
)
def test_ages_are_in_words(seconds: float | None, words: str) -> None:
    assert ago(seconds) == words


def test_json_keeps_letters(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"place": "Köln"})
    assert json.loads(capsys.readouterr().out) == {"place": "Köln"}


def test_what_libraries_print_is_no_output() -> None:
    """Also what the C library keeps back until the end."""
    script = (
        "import ctypes\n"
        "from flexedge.cli.output import aside\n"
        "print('before')\n"
        "with aside():\n"
        "    ctypes.CDLL(None).puts(b'a remark')\n"
        "print('after')\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert done.stdout == "before\nafter\n"
    assert done.stderr == "a remark\n"
