"""What record.c wrote down: every change of the files below a folder, in order."""

import struct
from dataclasses import dataclass
from pathlib import Path

_HEAD = struct.Struct("<IIQQQ")
_KINDS = {1: "open", 2: "write", 3: "fsync", 4: "truncate", 5: "rename", 6: "unlink", 7: "ack",
          8: "allocate", 9: "dirsync", 10: "mkdir"}  # fmt: skip
_WITH_BYTES = {"open", "write", "rename", "unlink", "ack", "dirsync", "mkdir"}


@dataclass(frozen=True, slots=True)
class Event:
    """One change."""

    kind: str
    flags: int
    inode: int
    offset: int
    length: int
    data: bytes

    @property
    def path(self) -> str:
        """Below the folder, without a slash in front."""
        return self.data.decode().lstrip("/")


def load(path: Path) -> list[Event]:
    """All changes of a trace."""
    content, at, events = path.read_bytes(), 0, []
    while at + _HEAD.size <= len(content):
        number, flags, inode, offset, length = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        kind, data = _KINDS[number], b""
        if kind in _WITH_BYTES:
            data = content[at : at + length]
            at += length
        events.append(Event(kind, flags, inode, offset, length, data))
    return events
