import errno
import hashlib
import os
from pathlib import Path

import pytest

from flexedge.errors import StoreError, StoreFull, StoreUnwritable
from flexedge.store.local import durable


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    durable.make_folder(tmp_path / "a" / "b" / "c")
    durable.make_folder(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_a_file_takes_the_place_of_another(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    durable.sync_file(tmp_path / "new")
    durable.put_in_place(tmp_path / "new", tmp_path / "old")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_text() == "new"


def test_a_file_is_written_whole_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (tmp_path / "file.new").write_text("what a cut left")
    durable.write(path, b"one")
    durable.write(path, b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_the_checksum_is_that_of_everybody(tmp_path: Path) -> None:
    content = bytes(range(256)) * 8192
    (tmp_path / "file").write_bytes(content)
    assert durable.sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_errors_name_the_file(tmp_path: Path) -> None:
    durable.remove(tmp_path / "gone")
    with pytest.raises(StoreError, match="gone: No such file"):
        durable.sha256(tmp_path / "gone")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file: File exists"):
        durable.make_folder(tmp_path / "file" / "sub")


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, StoreFull), (errno.EDQUOT, StoreFull), (errno.EROFS, StoreUnwritable),
     (errno.EIO, StoreUnwritable), (errno.EACCES, StoreError)],
)  # fmt: skip
def test_a_full_disk_and_a_sick_one_are_told_apart(number: int, kind: type[StoreError]) -> None:
    error = durable.failed("here", OSError(number, os.strerror(number)))
    assert type(error) is kind
    assert str(error) == f"here: {os.strerror(number)}"


def test_a_file_that_is_not_there_has_no_size(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("abc")
    assert durable.size(tmp_path / "file") == 3
    assert durable.size(tmp_path / "none") is None
    with pytest.raises(StoreError, match="Not a directory"):
        durable.size(tmp_path / "file" / "below")
