"""The ballast: a file that holds room, so that there is some when the disk is full."""

import os
from pathlib import Path

from flexedge.store.local import durable
from flexedge.store.local.disk import BALLAST


def hold(folder: Path, size: int) -> None:
    """Make the ballast so large, in bytes; 0: none. Raises ``StoreError``; then there is none."""
    if not size:
        release(folder)
        return
    path = folder / BALLAST
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(number, 0, size)
            os.ftruncate(number, size)
            os.fsync(number)
        finally:
            os.close(number)
    except OSError as error:
        release(folder)
        raise durable.failed(str(path), error) from error
    durable.sync_folder(folder)


def release(folder: Path) -> bool:
    """Give its room back; whether there was any. Raises ``StoreError``."""
    path = folder / BALLAST
    there = durable.size(path) is not None
    durable.remove(path)
    if there:
        durable.sync_folder(folder)  # the room is free once this is on the disk
    return there
