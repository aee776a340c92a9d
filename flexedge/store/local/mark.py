"""How far a database has come, noted beside it: what is missing up to there was lost by damage.

SQLite takes a log that was damaged or cut off near its end for one that a power cut left
unfinished. The mark is noted after each commit and not synced, so it costs no wait: after a power
cut it may be behind by what the system had not written yet, half a minute, and it is never ahead.
"""

import contextlib
import os
import struct
import zlib
from pathlib import Path

_FORM = struct.Struct("<qI")
"""The number and its checksum."""


class Mark:
    """The mark of one database: a number that grows with its commits."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-mark")

    def note(self, number: int) -> None:
        """Note how far it has come. Where the disk refuses that, the mark stays behind."""
        data = _FORM.pack(number, zlib.crc32(b"%d" % number))
        with contextlib.suppress(OSError):
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(file, data, 0)
            finally:
                os.close(file)

    def beyond(self, number: int) -> int:
        """By how much it is ahead of what a database says; 0 where it is not, or not sound."""
        try:
            noted, checksum = _FORM.unpack(self._path.read_bytes())
        except (OSError, struct.error):
            return 0
        return max(noted - number, 0) if checksum == zlib.crc32(b"%d" % noted) else 0
