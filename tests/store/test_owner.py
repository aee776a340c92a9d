import os
import stat
from pathlib import Path

import pytest

from flexedge.errors import StoreError
from flexedge.store.owner import acting_as_owner

SOMEBODY = 12345


def test_what_is_made_there_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    before = os.geteuid(), os.getegid()
    folder = tmp_path / "data"
    folder.mkdir()
    if before[0] == 0:
        for place in (folder, tmp_path):
            os.chown(place, SOMEBODY, SOMEBODY)
        for place in tmp_path.parents:
            if not place.stat().st_mode & stat.S_IXOTH:
                place.chmod(0o711)
    with acting_as_owner(folder):
        (folder / "file").write_text("x")
    made, owner = (folder / "file").stat(), folder.stat()
    assert (made.st_uid, made.st_gid) == (owner.st_uid, owner.st_gid)
    assert (os.geteuid(), os.getegid()) == before


def test_one_is_oneself_again_after_a_failure(tmp_path: Path) -> None:
    before = os.geteuid(), os.getegid()
    if before[0] == 0:
        os.chown(tmp_path, SOMEBODY, SOMEBODY)
    with pytest.raises(ValueError, match="this"), acting_as_owner(tmp_path):
        raise ValueError("this")
    assert (os.geteuid(), os.getegid()) == before


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="none"), acting_as_owner(tmp_path / "none"):
        pass
