"""What was done to a folder, as ``disk.c`` wrote it down."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Literal

Forgotten = Literal["nothing", "folders", "logs"]
_HEADER = struct.Struct("<IIQQQ")


class Act(IntEnum):
    """Kinds of events; the numbers are those of ``disk.c``."""

    OPEN = 1
    WRITE = 2
    FSYNC = 3
    TRUNCATE = 4
    RENAME = 5
    UNLINK = 6
    ACK = 7
    ALLOCATE = 8
    FDATASYNC = 9
    SYNC_FOLDER = 10
    MKDIR = 11
    RMDIR = 12
    LINK = 13


CREATED, EMPTIED, IS_FOLDER = 1, 2, 4
"""Flags of ``OPEN``."""
_BYTES = {Act.OPEN, Act.WRITE, Act.RENAME, Act.UNLINK, Act.ACK, Act.MKDIR, Act.RMDIR, Act.LINK}


@dataclass(frozen=True, slots=True)
class Event:
    """One change. ``file`` is an inode's number; ``offset`` also the size to cut or grow to."""

    act: Act
    flags: int
    file: int
    offset: int
    data: bytes

    @property
    def path(self) -> str:
        """Below the folder, without a slash in front."""
        return self.data.decode().strip("/")

    @property
    def paths(self) -> tuple[str, str]:
        """From where to where."""
        old, new = self.data.decode().split("\n")
        return old.strip("/"), new.strip("/")


def events(path: Path) -> Iterator[Event]:
    """All of a trace, in order; a last one that was not written to its end is left out."""
    data = path.read_bytes()
    at = 0
    while at + _HEADER.size <= len(data):
        number, flags, file, offset, length = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        act = Act(number)
        held = length if act in _BYTES else 0
        if at + held > len(data):
            return
        yield Event(act, flags, file, offset, data[at : at + held])
        at += held


def forgetting(all_of_it: Iterator[Event], what: Forgotten) -> Iterator[Event]:
    """A trace as of a program that does not sync folders, or write-ahead logs.

    The program itself needs no switch for that: this is how a disk would see it.
    """
    logs: set[int] = set()
    for event in all_of_it:
        if event.act is Act.OPEN and event.flags & CREATED and event.path.endswith("-wal"):
            logs.add(event.file)
        log_synced = event.act in (Act.FSYNC, Act.FDATASYNC) and event.file in logs
        if what == "folders" and event.act is Act.SYNC_FOLDER:
            continue
        if what == "logs" and log_synced:
            continue
        yield event
