"""A disk that loses power: from what was done to a folder to what may be left of it.

Two models. ``ext4``: names change in order, and any sync of a file that grew makes all names before
it last; of a write that was not synced any pages inside the file and the first pages behind its end
may be there. ``harsh``: every folder keeps its own order and only its own sync makes names last; of
writes that were not synced any may be there, in any order, torn in sectors. Renames are atomic.
"""

import itertools
import random
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.torture.trace import CREATED, EMPTIED, IS_FOLDER, Act, Event

Model = Literal["ext4", "harsh"]
MODELS: tuple[Model, ...] = ("ext4", "harsh")
Variant = Literal["killed", "synced", "random", "ordered"]
"""All that was done; only what was synced; any of the rest; the rest up to some point."""
_PAGE, _SECTOR = 4096, 512
_KEEP_SIZE = 1  # of fallocate
Content = bytes | bytearray


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes that go to a place in a file."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A new size."""

    size: int


@dataclass(slots=True)
class File:
    """Content that lasts, and what was done since."""

    lasting: bytearray = field(default_factory=bytearray)
    pending: list[Write | Cut] = field(default_factory=list)
    version: int = 0

    def sync(self) -> bool:
        """Make all of it last; whether the size changed."""
        before = len(self.lasting)
        for one in self.pending:
            put(self.lasting, one)
        if self.pending:
            self.version += 1
        self.pending = []
        return len(self.lasting) != before


@dataclass(frozen=True, slots=True)
class Change:
    """Of names: ``node`` comes into ``folder`` as ``name``, or (None) goes from there.

    A rename also takes it from ``source``, a folder and a name.
    """

    folder: int
    name: str
    node: int | None
    source: tuple[int, str] | None = None

    @property
    def folders(self) -> set[int]:
        """Those that it concerns."""
        return {self.folder} | ({self.source[0]} if self.source else set())


def put(buffer: bytearray, one: Write | Cut, part: tuple[int, int] | None = None) -> None:
    """Do a write, or the part of it that lies between two offsets; or set the size."""
    if isinstance(one, Cut):
        del buffer[one.size :]
        buffer.extend(bytes(one.size - len(buffer)))
        return
    start, end = part or (one.offset, one.offset + len(one.data))
    buffer.extend(bytes(max(0, start - len(buffer))))
    buffer[start:end] = one.data[start - one.offset : end - one.offset]


def pieces(one: Write, size: int) -> list[tuple[int, int]]:
    """A write in pieces that the disk keeps whole."""
    end = one.offset + len(one.data)
    edges = [one.offset, *range((one.offset // size + 1) * size, end, size), end]
    return list(itertools.pairwise(edges))


def some(things: list[tuple[int, int]], chance: random.Random) -> list[tuple[int, int]]:
    """The first few, or any of them."""
    if chance.random() < 0.5:
        return things[: chance.randrange(len(things) + 1)]
    return [one for one in things if chance.random() < 0.5]


class Names:
    """What is called how: what lasts, and what was done since."""

    def __init__(self) -> None:
        self.live: dict[int, dict[str, int]] = {0: {}}
        self._lasting: dict[int, dict[str, int]] = {0: {}}
        self._changes: list[Change] = []
        self._begun = 0
        """How many changes are in what lasts."""
        self._safe: dict[int, int] = {}
        """By folder: all changes below this number last."""

    def folder(self, path: str) -> int:
        """The node of a folder that is there."""
        node = 0
        for part in path.split("/") if path else ():
            node = self.live[node][part]
        return node

    def split(self, path: str) -> tuple[int, str]:
        """The folder that a path lies in, and its name there."""
        above, _, name = path.rpartition("/")
        return self.folder(above), name

    def change(self, one: Change) -> None:
        """A name comes or goes."""
        apply(self.live, one)
        self._changes.append(one)

    def sync(self, folder: int | None = None) -> None:
        """Make changes in a folder last (None: in all)."""
        done = self._begun + len(self._changes)
        for one in [folder] if folder is not None else list(self.live):
            self._safe[one] = done
        while self._changes and all(
            self._safe.get(one, 0) > self._begun for one in self._changes[0].folders
        ):
            apply(self._lasting, self._changes.pop(0))
            self._begun += 1

    def after_cut(
        self, model: Model, variant: Variant, chance: random.Random
    ) -> Mapping[int, Mapping[str, int]]:
        """What may be left."""
        done = self._begun + len(self._changes)
        concerned = sorted({folder for one in self._changes for folder in one.folders})
        least = {folder: max(self._begun, self._safe.get(folder, 0)) for folder in concerned}
        if variant == "killed":
            until = dict.fromkeys(concerned, done)
        elif variant == "synced":
            until = least
        elif model == "ext4":
            at = chance.randint(max(least.values(), default=done), done)
            until = dict.fromkeys(concerned, at)
        else:
            until = {
                folder: chance.choice((low, done, chance.randint(low, done)))
                for folder, low in least.items()
            }
        until = self._whole_renames(until)
        left = {folder: dict(names) for folder, names in self._lasting.items()}
        for number, one in enumerate(self._changes, self._begun):
            if number < until[one.folder]:
                apply(left, one)
        return left

    def _whole_renames(self, until: dict[int, int]) -> dict[int, int]:
        """A rename from folder to folder is in both or in none; so is all before it."""
        until = dict(until)
        for number in range(self._begun + len(self._changes) - 1, self._begun - 1, -1):
            folders = self._changes[number - self._begun].folders
            if any(number < until[one] for one in folders):
                until.update({one: max(until[one], number + 1) for one in folders})
        return until


def apply(names: dict[int, dict[str, int]], one: Change) -> None:
    """Do a change."""
    if one.source is not None:
        names.setdefault(one.source[0], {}).pop(one.source[1], None)
    inside = names.setdefault(one.folder, {})
    if one.node is None:
        inside.pop(one.name, None)
    else:
        inside[one.name] = one.node


@dataclass(frozen=True, slots=True)
class Image:
    """A folder as a power cut may leave it."""

    folders: tuple[str, ...]
    files: Mapping[str, Content]
    print: int
    """Images with the same content have the same one."""


class Disk:
    """Follows what is done and knows what may be left of it."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._names = Names()
        self._files: dict[int, File] = {}
        self._node_of: dict[int, int] = {}
        self._nodes = 0
        self.acked = 0
        """How many steps the program acknowledged."""

    def follow(self, event: Event) -> None:
        """Something was done."""
        match event.act:
            case Act.OPEN:
                self._opened(event)
            case Act.WRITE:
                self._file(event).pending.append(Write(event.offset, event.data))
            case Act.TRUNCATE:
                self._file(event).pending.append(Cut(event.offset))
            case Act.ALLOCATE:
                self._grown(event)
            case Act.FSYNC | Act.FDATASYNC:
                self._synced(event)
            case Act.SYNC_FOLDER:
                self._names.sync(self._node_of[event.file] if self._model == "harsh" else None)
            case Act.ACK:
                self.acked = int(event.data.split()[0])
            case _:
                self._named(event)

    def _file(self, event: Event) -> File:
        return self._files[self._node_of[event.file]]

    def _new(self) -> int:
        self._nodes += 1
        return self._nodes

    def _opened(self, event: Event) -> None:
        if event.flags & IS_FOLDER:
            self._node_of[event.file] = self._names.folder(event.path)
        elif event.flags & CREATED:
            node = self._node_of[event.file] = self._new()
            self._files[node] = File()
            self._names.change(Change(*self._names.split(event.path), node))
        elif event.flags & EMPTIED:
            self._file(event).pending.append(Cut(0))

    def _grown(self, event: Event) -> None:
        file = self._file(event)
        size = len(self._whole(file))
        if not event.flags & _KEEP_SIZE and event.offset > size:
            file.pending.append(Cut(event.offset))

    def _synced(self, event: Event) -> None:
        file = self._file(event)
        touched = bool(file.pending)
        grown = file.sync()
        if self._model == "ext4" and touched and (grown or event.act is Act.FSYNC):
            self._names.sync()

    def _named(self, event: Event) -> None:
        names = self._names
        if event.act is Act.MKDIR:
            node = self._new()
            names.live[node] = {}
            names.change(Change(*names.split(event.path), node))
        elif event.act in (Act.RENAME, Act.LINK):
            old, new = (names.split(path) for path in event.paths)
            source = old if event.act is Act.RENAME else None
            names.change(Change(*new, names.live[old[0]][old[1]], source))
        else:
            names.change(Change(*names.split(event.path), None))

    def after_cut(self, variant: Variant, chance: random.Random) -> Image:
        """One of the states that a loss of power may leave."""
        left = self._names.after_cut(self._model, variant, chance)
        folders: list[str] = []
        files: dict[str, Content] = {}
        prints: list[tuple[str, int, int]] = []
        contents: dict[int, tuple[Content, int]] = {}
        for path, node in _walk(left, 0, ""):
            if node not in self._files:
                folders.append(path)
                continue
            if node not in contents:
                contents[node] = self._content(node, variant, chance)
            files[path] = contents[node][0]
            prints.append((path, node, contents[node][1]))
        return Image(tuple(folders), files, hash((tuple(folders), tuple(prints))))

    def _content(self, node: int, variant: Variant, chance: random.Random) -> tuple[Content, int]:
        file = self._files[node]
        if not file.pending or variant == "synced":
            return file.lasting, file.version
        if variant == "killed":
            buffer = self._whole(file)
        elif self._model == "ext4":
            buffer = _paged(file, chance)
        elif variant == "random":
            buffer = _scattered(file, chance)
        else:
            buffer = _begun(file, chance)
        return buffer, -1 - zlib.crc32(buffer)

    def _whole(self, file: File) -> bytearray:
        buffer = bytearray(file.lasting)
        for one in file.pending:
            put(buffer, one)
        return buffer


def _walk(
    left: Mapping[int, Mapping[str, int]], folder: int, above: str
) -> Iterator[tuple[str, int]]:
    for name, node in sorted(left.get(folder, {}).items()):
        yield above + name, node
        yield from _walk(left, node, f"{above}{name}/")


def _scattered(file: File, chance: random.Random) -> bytearray:
    """Any of the writes, each whole, torn or not there."""
    buffer = bytearray(file.lasting)
    for one in file.pending:
        luck = chance.random()
        if luck < 0.35 or (luck < 0.75 and isinstance(one, Cut)):
            put(buffer, one)
        elif luck < 0.75 and isinstance(one, Write):
            for part in some(pieces(one, _SECTOR), chance):
                put(buffer, one, part)
    return buffer


def _begun(file: File, chance: random.Random) -> bytearray:
    """The first writes, and the next one torn."""
    buffer = bytearray(file.lasting)
    n = chance.randrange(len(file.pending) + 1)
    for one in file.pending[:n]:
        put(buffer, one)
    for one in file.pending[n : n + 1]:
        if isinstance(one, Write):
            for part in some(pieces(one, _SECTOR), chance):
                put(buffer, one, part)
    return buffer


def _paged(file: File, chance: random.Random) -> bytearray:
    """Any pages inside the file, but behind its end only the first ones."""
    buffer, size = bytearray(file.lasting), len(file.lasting)
    growing = True
    for one in file.pending:
        if isinstance(one, Cut):
            put(buffer, one)
            continue
        parts = pieces(one, _PAGE)
        inside = [part for part in parts if part[0] < size]
        behind = [part for part in parts if part[0] >= size]
        luck = chance.random()
        kept = inside if luck < 0.2 else some(inside, chance)
        if growing:
            n = chance.choice((len(behind), chance.randrange(len(behind) + 1)))
            growing = n == len(behind)
            kept = kept + behind[:n]
        for part in kept:
            put(buffer, one, part)
    return buffer
