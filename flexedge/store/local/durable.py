"""Files that survive a power cut: whole under their name, or not there."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from flexedge.errors import StoreError, StoreFull, StoreUnwritable

_CHUNK = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT)
_UNWRITABLE = (errno.EROFS, errno.EIO, errno.EFBIG, errno.ENXIO, errno.ENODEV, errno.ESTALE)


def failed(what: str, error: OSError) -> StoreError:
    """What to raise when the system refuses something."""
    words = f"{what}: {error.strerror or error}"
    if error.errno in _FULL:
        return StoreFull(words)
    return StoreUnwritable(words) if error.errno in _UNWRITABLE else StoreError(words)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise failed(str(path), error) from error


def sync_folder(folder: Path) -> None:
    """Make renames, new files and removals in a folder last."""
    with _told(folder):
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def sync_file(path: Path) -> None:
    """Make the content of a file last."""
    with _told(path):
        number = os.open(path, os.O_RDWR)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def make_folder(folder: Path) -> None:
    """A folder that lasts, with those above it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with _told(folder):
        folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file, complete and for good or not at all: what was there stays until then."""
    partial = path.with_name(path.name + ".new")
    remove(partial)
    with _told(partial):
        number = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    put_in_place(partial, path)


def read(path: Path) -> bytes:
    """The content of a file."""
    with _told(path):
        return path.read_bytes()


def put_in_place(partial: Path, path: Path) -> None:
    """Give a finished and synced file its name, for good."""
    with _told(path):
        partial.replace(path)
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file that may be gone already."""
    with _told(path):
        path.unlink(missing_ok=True)


def size(path: Path) -> int | None:
    """Bytes of a file; None where there is none."""
    with _told(path):
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return None


def ends(path: Path, n: int) -> tuple[bytes, bytes]:
    """The first and last bytes of a file."""
    with _told(path), path.open("rb") as file:
        first = file.read(n)
        file.seek(max(path.stat().st_size - n, 0))
        return first, file.read(n)


def sha256(path: Path) -> str:
    """The checksum of a file's content."""
    digest = hashlib.sha256()
    with _told(path), path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
