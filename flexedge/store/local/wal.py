"""SQLite's write-ahead log, looked at before SQLite opens it.

SQLite takes all that follows a damaged place for the unfinished end that a power cut leaves, and
goes on without a word. But with ``synchronous=FULL`` each commit is on the disk before the next one
begins: an unfinished end holds one commit at most. Where more follow, something damaged the log.

What a log looks like: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from flexedge.errors import StoreDamaged
from flexedge.store.local import durable

_Words = npt.NDArray[np.uint32]
_Marks = npt.NDArray[np.bool_]
_HEAD = 8  # words before the first frame: magic, version, page size, count, 2 salts, 2 sums
_FRAME = 6  # words before a page: its number, pages after a commit, 2 salts, 2 sums
_SUMMED = 6  # words of the head that its sums are of; of a frame all but salts and sums
_LITTLE = 0x377F0682  # of a log whose sums are of words as our processors have them
_NOUGHT = np.zeros((1, 2), np.uint32)
_STEP = np.array([[1, 1], [1, 2]], np.uint32)
_TAKE = np.array([[1, 1], [0, 1]], np.uint32)
_SIZE_AT = slice(16, 18)  # of a database: bytes of a page
_MODES_AT = slice(18, 20)  # of a database: how it is written and read
_LEAST = 512  # bytes of a page


@dataclass(frozen=True, slots=True)
class _Log:
    """The frames of a log, in their order."""

    headed: bool
    """Whether what stands before them is whole."""
    good: _Marks
    """Whether a frame belongs to this log and fits its sums, as the one before it says."""
    page: _Words
    """Which page of the database it is, from 1."""
    size: _Words
    """Pages of the database after the commit that the frame ends; 0: it ends none."""
    data: _Words
    """(frames, words of a page)."""

    @property
    def commits(self) -> _Marks:
        """The good ones that end a commit."""
        return self.good & (self.size > 0)

    def hidden(self) -> int:
        """Commits that SQLite does not come to: the most that follow each other undamaged."""
        most = run = 0
        seen = self.headed
        for good, commit in zip(self.good.tolist(), self.commits.tolist(), strict=True):
            seen = seen and good
            run = run + commit if good and not seen else 0
            most = max(most, run)
        return most


def demand_whole(path: Path) -> None:
    """Raise ``StoreDamaged`` where the log of a database has commits behind a damaged place.

    Damage in the last commit is not found: it looks as if that one had not been finished.
    """
    log = _read(path)
    hidden = 0 if log is None else log.hidden()
    if log is not None and hidden > log.headed:
        raise StoreDamaged(f"{path}-wal is damaged: {hidden} commits follow the damaged place")


def image(path: Path) -> bytes:
    """A database as its file and all that is not damaged of its log make it.

    For what can be read of it: a page of a damaged place is as it was before. It is marked as one
    without a log.
    """
    data = bytearray(durable.read(path))
    log = _read(path)
    if log is not None and log.commits.any():
        width = log.data.shape[1] * 4
        last = int(np.flatnonzero(log.commits)[-1])
        room = int(log.size[last]) * width
        data = data[:room].ljust(room, b"\0")
        for at in np.flatnonzero(log.good[: last + 1]).tolist():
            start = (int(log.page[at]) - 1) * width
            if start < room:
                data[start : start + width] = log.data[at].tobytes()
    data[_MODES_AT] = b"\1\1"
    return bytes(data)


def _read(path: Path) -> _Log | None:
    """The log of a database; None where there is none, or no frame in it."""
    beside = path.with_name(f"{path.name}-wal")
    data = durable.read(beside) if durable.size(beside) else b""
    if len(data) < _HEAD * 4:
        return None
    head = np.frombuffer(data, ">u4", _HEAD).astype(np.uint32)
    summed = np.frombuffer(data, "<u4", _SUMMED)[None]
    headed = head[0] == _LITTLE and bool((_sums(summed, _NOUGHT) == head[6:]).all())
    step = _FRAME * 4 + (int(head[2]) if headed else _page_size(path))
    n = (len(data) - _HEAD * 4) // step
    frames = np.frombuffer(data, np.uint8, n * step, _HEAD * 4).reshape(n, step)
    return _judged(frames, head, headed=headed) if n else None


def _judged(frames: npt.NDArray[np.uint8], head: _Words, *, headed: bool) -> _Log:
    top = frames[:, : _FRAME * 4].copy()
    data = frames[:, _FRAME * 4 :].copy().view("<u4")
    told = top.view(">u4").astype(np.uint32)
    seeds = np.vstack([head[6:], told[:-1, 4:]])
    summed = np.hstack([top[:, :8].copy().view("<u4"), data])
    good = (_sums(summed, seeds) == told[:, 4:]).all(axis=1)
    if not headed:
        good[0] = False
    salts = head[4:6] if headed else told[int(np.argmax(good)), 2:4]
    good &= (told[:, 2:4] == salts).all(axis=1)
    return _Log(headed, good, told[:, 0], told[:, 1], data)


def _page_size(path: Path) -> int:
    told = int.from_bytes(durable.read(path)[_SIZE_AT], "big")
    return told if told >= _LEAST and told.bit_count() == 1 else _LEAST  # it may be damaged, too


def _sums(words: _Words, seeds: _Words) -> _Words:
    """SQLite's sums of words after what was summed before, of each row: (rows, 2)."""
    before, weights = _weights(words.shape[1])
    found: _Words = seeds @ before + words @ weights
    return found


@functools.cache
def _weights(n: int) -> tuple[_Words, _Words]:
    """What sums of ``n`` words are made of: (2, 2) for the sums before, (n, 2) for the words.

    SQLite adds two words x, y so: s0 += x + s1, s1 += y + s0, modulo 2**32.
    """
    weights = np.empty((n, 2), np.uint32)
    on = np.eye(2, dtype=np.uint32)
    for at in range(n - 2, -2, -2):
        weights[at : at + 2] = _TAKE @ on
        on = _STEP @ on
    return on, weights
