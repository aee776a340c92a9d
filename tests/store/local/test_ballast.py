from pathlib import Path

import pytest

from flexedge.errors import StoreError
from flexedge.store.local.ballast import hold, release


def test_it_holds_room_on_the_disk_and_gives_it_back(tmp_path: Path) -> None:
    hold(tmp_path, 1 << 20)
    stat = (tmp_path / "ballast").stat()
    assert stat.st_blocks * 512 >= stat.st_size == 1 << 20
    hold(tmp_path, 1 << 19)
    assert (tmp_path / "ballast").stat().st_size == 1 << 19
    assert release(tmp_path)
    assert not release(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_none_is_held_where_none_is_wanted(tmp_path: Path) -> None:
    hold(tmp_path, 1 << 19)
    hold(tmp_path, 0)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_held_whole_is_not_held(tmp_path: Path) -> None:
    (tmp_path / "ballast").symlink_to("/dev/full")
    with pytest.raises(StoreError, match="ballast"):
        hold(tmp_path, 1 << 20)
    assert list(tmp_path.iterdir()) == []
