from pathlib import Path

import pytest

from flexedge.store.local.mark import Mark
from tests.store.local.damaging import spoil


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


def test_it_says_how_much_is_missing(path: Path) -> None:
    assert Mark(path).beyond(0) == 0
    Mark(path).note(70_000_000_000)
    assert Mark(path).beyond(69_999_999_998) == 2
    assert Mark(path).beyond(70_000_000_000) == 0
    assert Mark(path).beyond(80_000_000_000) == 0
    Mark(path).note(3)
    assert Mark(path).beyond(1) == 2
    assert (path.parent / "a.db-mark").stat().st_mode & 0o777 == 0o600


def test_a_mark_that_is_not_sound_says_nothing(path: Path) -> None:
    Mark(path).note(5)
    beside = path.parent / "a.db-mark"
    spoil(beside)
    assert Mark(path).beyond(0) == 0
    beside.write_bytes(b"")
    assert Mark(path).beyond(0) == 0


def test_where_it_cannot_be_noted_it_stays_behind(path: Path) -> None:
    (path.parent / "a.db-mark").mkdir()
    Mark(path).note(5)
    assert Mark(path).beyond(0) == 0
