"""Root in somebody else's folder."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from flexedge.errors import StoreError


@contextlib.contextmanager
def acting_as_owner(folder: Path) -> Iterator[None]:
    """Let root act as the one who owns a folder; anybody else stays who they are.

    What is made there then belongs to the gateway's user, who can go on with it, and no link that
    lies there leads root anywhere. Raises ``StoreError`` for a folder that is not there.
    """
    try:
        owner = folder.stat()
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}") from error
    before = os.geteuid(), os.getegid()
    if before[0] != 0 or owner.st_uid == 0:
        yield
        return
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(before[0])
        os.setegid(before[1])
