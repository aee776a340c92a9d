"""Who has the data folder: one process at a time, for as long as it lives."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from flexedge.errors import StoreError, StoreLocked

NAME = "lock"
_LONGEST = 20  # characters of a process's number


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Have a data folder, which must exist, for oneself. Gone with the process, however it ends.

    Also on a disk that takes no writes: where it holds no lock nobody can have it.
    Raises ``StoreLocked`` at once, with the other's number where it told, when another one has it.
    """
    path = folder / NAME
    try:
        number = _opened(path)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    if number is None:
        yield
        return
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with contextlib.suppress(OSError):  # a full disk is no reason not to have it
            os.ftruncate(number, 0)
            os.pwrite(number, f"{os.getpid()}\n".encode(), 0)
    except BlockingIOError as error:
        holder = _holder(number)
        os.close(number)
        raise StoreLocked(f"{folder} is in use by {holder}") from error
    except OSError as error:
        os.close(number)
        raise StoreError(f"{path}: {error.strerror}") from error
    try:
        yield
    finally:
        os.close(number)


def _opened(path: Path) -> int | None:
    """The file; None where there is none and cannot be."""
    about = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | about, 0o600)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
    with contextlib.suppress(FileNotFoundError):
        return os.open(path, os.O_RDONLY | about)
    return None


def _holder(number: int) -> str:
    said = os.pread(number, _LONGEST, 0).strip()
    return f"another flexedge (process {int(said)})" if said.isdigit() else "another process"
