"""A disk that has seen a trace, and what a power cut may have left of it.

Two models. *ext4* (data=ordered): what is appended to a file is there as a prefix, what is written
in place as any pages; syncing a file that changed its size writes all changes of folders before it.
*harsh*: pending writes are there whole, torn at any sector, or not, in any order; a folder keeps
what its own sync made sure of. A file's own name lasts from its first sync on, in both.
"""

import random
from dataclasses import dataclass, field
from typing import Literal

from tests.torture.trace import Event

Model = Literal["ext4", "harsh"]
Variant = Literal["kill", "nothing", "random", "prefix"]
VARIANTS: tuple[Variant, ...] = ("kill", "nothing", "random", "random", "prefix", "prefix")
_PAGE, _SECTOR, _LARGE = 4096, 512, 65536


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Event] = field(default_factory=list)
    synced_length: int = -1
    made: int = -1
    """Which change of a folder gave it its first name."""


@dataclass(slots=True)
class _Change:
    """Of names: a file or folder made, renamed or removed."""

    kind: str
    path: str
    other: str = ""
    file: int = -1
    lasts: bool = False


@dataclass(slots=True)
class Disk:
    """The state so far. ``without``: syncs that are taken for not done ("dirsync", "full")."""

    model: Model
    without: str = ""
    acknowledged: list[str] = field(default_factory=list)
    _files: list[_File] = field(default_factory=list)
    _by_inode: dict[int, int] = field(default_factory=dict)
    _changes: list[_Change] = field(default_factory=list)
    _logs: set[int] = field(default_factory=set)
    """Inodes of SQLite's write-ahead logs."""

    def see(self, event: Event) -> None:
        """One more change happens."""
        getattr(self, f"_{event.kind}")(event)

    def _open(self, event: Event) -> None:
        if event.flags & 1 or event.inode not in self._by_inode:
            self._by_inode[event.inode] = len(self._files)
            self._files.append(_File(made=len(self._changes)))
            self._changes.append(_Change("make", event.path, file=len(self._files) - 1))
        elif event.flags & 2:
            self._file(event).pending.append(Event("truncate", 0, event.inode, 0, 0, b""))
        if event.path.endswith("-wal"):
            self._logs.add(event.inode)

    def _file(self, event: Event) -> _File:
        return self._files[self._by_inode[event.inode]]

    def _write(self, event: Event) -> None:
        self._file(event).pending.append(event)

    _truncate = _write

    def _allocate(self, event: Event) -> None:
        if not event.flags & 1:  # unless it keeps the size
            self._file(event).pending.append(event)

    def _fsync(self, event: Event) -> None:
        if self.without == "full" and event.inode in self._logs:
            return
        file = self._file(event)
        changed = file.pending and (not event.flags or file.synced_length != len(file.durable))
        for one in file.pending:
            _apply(file.durable, one)
        changed = changed or file.synced_length != len(file.durable)
        file.pending, file.synced_length = [], len(file.durable)
        self._changes[file.made].lasts = True
        if self.model == "ext4" and changed and self.without != "dirsync":
            for change in self._changes:
                change.lasts = True

    def _dirsync(self, event: Event) -> None:
        if self.without == "dirsync":
            return
        for change in self._changes:
            if self.model == "ext4" or event.path in (_parent(change.path), _parent(change.other)):
                change.lasts = True

    def _mkdir(self, event: Event) -> None:
        self._changes.append(_Change("mkdir", event.path))

    def _rename(self, event: Event) -> None:
        old, new = (part.lstrip("/") for part in event.data.decode().split("\n"))
        self._changes.append(_Change("rename", old, new))

    def _unlink(self, event: Event) -> None:
        self._changes.append(_Change("unlink", event.path))

    def _ack(self, event: Event) -> None:
        self.acknowledged += event.data.decode().split()

    def left(self, chance: random.Random, variant: Variant) -> tuple[dict[str, bytes], set[str]]:
        """Files by path and folders that may be there after a cut (or a kill) now."""
        n = len(self._changes)
        until = {"kill": n, "nothing": 0}.get(variant, chance.randint(0, n))
        names: dict[str, int] = {}
        folders: set[str] = set()
        for at, change in enumerate(self._changes):
            if change.lasts or at < until:
                _rename(change, names, folders)
        kept = {
            path: self._content(self._files[file], chance, variant)
            for path, file in names.items()
            if _parent(path) in folders or not _parent(path)
        }
        return kept, folders

    def _content(self, file: _File, chance: random.Random, variant: Variant) -> bytes:
        content = bytearray(file.durable)
        if variant == "kill":
            for one in file.pending:
                _apply(content, one)
        elif variant != "nothing" and self.model == "ext4":
            _ordered(content, file, chance)
        elif variant == "random":
            for one in file.pending:
                _at_random(content, one, chance)
        elif variant == "prefix" and file.pending:
            n = chance.randrange(len(file.pending) + 1)
            for one in file.pending[:n]:
                _apply(content, one)
            for one in file.pending[n : n + 1]:
                _torn(content, one, chance)
        return bytes(content)


def _ordered(content: bytearray, file: _File, chance: random.Random) -> None:
    """Pending writes as ext4 may leave them: of a log that grows a beginning."""
    appends = all(one.offset >= len(file.durable) for one in file.pending)
    for one in file.pending:
        whole = _torn_pages(content, one, chance, len(file.durable))
        if appends and not whole:
            break


def _at_random(content: bytearray, event: Event, chance: random.Random) -> None:
    """A third whole, a third torn, the rest not at all."""
    fate = chance.random()
    if fate < 0.35:
        _apply(content, event)
    elif fate < 0.75:
        _torn(content, event, chance)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _rename(change: _Change, names: dict[str, int], folders: set[str]) -> None:
    if change.kind == "make":
        names[change.path] = change.file
    elif change.kind == "mkdir":
        folders.add(change.path)
    elif change.kind == "unlink":
        names.pop(change.path, None)
        folders.discard(change.path)
    elif change.path in names:
        names[change.other] = names.pop(change.path)
    elif change.path in folders:
        inside = [path for path in names if path.startswith(f"{change.path}/")]
        for path in inside:
            names[change.other + path[len(change.path) :]] = names.pop(path)
        for path in [path for path in folders if f"{path}/".startswith(f"{change.path}/")]:
            folders.discard(path)
            folders.add(change.other + path[len(change.path) :])


def _apply(content: bytearray, event: Event) -> None:
    if event.kind == "truncate":
        _sized(content, event.offset)
        del content[event.offset :]
    elif event.kind == "allocate":
        _sized(content, event.offset + event.length)
    else:
        _put(content, event.offset, event.data)


def _sized(content: bytearray, length: int) -> None:
    if length > len(content):
        content.extend(b"\0" * (length - len(content)))


def _put(content: bytearray, offset: int, data: bytes) -> None:
    _sized(content, offset)
    content[offset : offset + len(data)] = data


def _pieces(event: Event, size: int) -> list[tuple[int, bytes]]:
    """A write cut at multiples of a size."""
    pieces, at, end = [], event.offset, event.offset + len(event.data)
    while at < end:
        stop = min((at // size + 1) * size, end)
        pieces.append((at, event.data[at - event.offset : stop - event.offset]))
        at = stop
    return pieces


def _torn(content: bytearray, event: Event, chance: random.Random) -> None:
    """Some sectors of a write."""
    if event.kind != "write":
        _apply(content, event)
        return
    pieces = _pieces(event, _SECTOR if len(event.data) <= _LARGE else _PAGE)
    if chance.random() < 0.5:
        pieces = pieces[: chance.randrange(len(pieces) + 1)]
    else:
        pieces = [piece for piece in pieces if chance.random() < 0.5]
    for offset, data in pieces:
        _put(content, offset, data)


def _torn_pages(content: bytearray, event: Event, chance: random.Random, durable: int) -> bool:
    """Any pages in place, a beginning of what is appended; whether it is all of it."""
    if event.kind != "write":
        _apply(content, event)
        return True
    pieces = _pieces(event, _PAGE)
    in_place = [piece for piece in pieces if piece[0] < durable]
    appended = [piece for piece in pieces if piece[0] >= durable]
    fate = chance.random()
    if fate < 0.7:
        kept = [piece for piece in in_place if fate < 0.2 or chance.random() < 0.5]
    else:
        kept = in_place[: chance.randrange(len(in_place) + 1)]
    kept += appended[: chance.randrange(len(appended) + 1)]
    for offset, data in kept:
        _put(content, offset, data)
    return len(kept) == len(pieces)
