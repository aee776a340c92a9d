"""Backups as files: a tar whose first member, ``manifest.json``, lists all others.

Written as plain ustar, readable by any tar. Read by hand and not by ``tarfile``: of a file from
anywhere only regular members are taken that the manifest lists, of the size that it lists.
"""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, cast

from flexedge.errors import StoreDamaged, StoreError

FORMAT = 1
"""Of the manifest; a newer one is not read."""
MANIFEST = "manifest.json"
_LONGEST = 64 << 20  # bytes of a manifest
_CHUNK = 1 << 20
_NAME = re.compile(r"state\.db|journal\.db|history/[a-z]+/[0-9A-Za-z_][0-9A-Za-z._-]*\.parquet")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a backup; ``name``: its path below the data folder."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    made: str
    """When, ISO 8601."""
    flexedge: str
    """By which version."""
    revision: str
    """Of the state's tables."""
    items: tuple[Item, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(item.size for item in self.items)


class Gone(StoreError):
    """A file that was to be packed is not there any more."""


class _Hashed:
    """Lets a tar read a file while its checksum is taken."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, n: int) -> bytes:
        data = self._file.read(n)
        self.digest.update(data)
        return data


def pack(out: IO[bytes], manifest: Manifest, folder: Mapping[str, Path], now: datetime) -> None:
    """Write a backup; ``folder`` says where each item's content is.

    Raises ``Gone``, ``StoreDamaged`` where content is not what the manifest says, ``OSError``.
    """
    content = json.dumps({"format": FORMAT} | asdict(manifest), indent=1).encode()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        tar.addfile(_info(MANIFEST, len(content), now), io.BytesIO(content))
        for item in manifest.items:
            source = folder[item.name]
            try:
                file = source.open("rb")
            except FileNotFoundError as error:
                raise Gone(f"{source} is gone") from error
            with file:
                hashed = _Hashed(file)
                if source.stat().st_size != item.size:
                    raise StoreDamaged(f"{source} does not have the size that was noted of it")
                tar.addfile(_info(item.name, item.size, now), cast("IO[bytes]", hashed))
            if hashed.digest.hexdigest() != item.sha256:
                raise StoreDamaged(f"{source} does not fit its checksum")


def _info(name: str, size: int, now: datetime) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(now.timestamp())
    return info


def look(file: IO[bytes]) -> Manifest:
    """The manifest of a backup; what follows is for ``contents``. Raises ``StoreDamaged``."""
    head = _header(file)
    if head is None or head[0] != MANIFEST or head[1] > _LONGEST:
        raise StoreDamaged(f"this is no backup: it does not begin with {MANIFEST}")
    data = b"".join(_chunks(file, head[1]))
    _skip_padding(file, head[1])
    try:
        content = json.loads(data)
        if content["format"] > FORMAT:
            raise StoreError(
                f"this backup was made by flexedge {content['flexedge']} in a newer format"
                f" ({content['format']}, this version knows {FORMAT}): use that version"
            )
        items = tuple(
            Item(str(item["name"]), int(item["size"]), str(item["sha256"]))
            for item in content["items"]
        )
        manifest = Manifest(
            str(content["made"]), str(content["flexedge"]), str(content["revision"]), items
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreDamaged(f"the {MANIFEST} of this backup cannot be read: {error}") from error
    _demand_sensible(manifest)
    return manifest


def _demand_sensible(manifest: Manifest) -> None:
    names = [item.name for item in manifest.items]
    if len(set(names)) != len(names):
        raise StoreDamaged("this backup lists a file twice")
    for item in manifest.items:
        if not _NAME.fullmatch(item.name) or not _SHA256.fullmatch(item.sha256) or item.size < 0:
            raise StoreDamaged(f"this backup lists what does not belong into one: {item.name!r}")


def contents(
    file: IO[bytes], manifest: Manifest
) -> Iterator[tuple[Item, Iterator[bytes]]]:  # fmt: skip
    """Every item, with its content in pieces that add up to what the manifest says.

    A piece may be used before the whole was compared: ``StoreDamaged`` comes after the last one.
    """
    missing = {item.name: item for item in manifest.items}
    while (head := _header(file)) is not None:
        name, size = head
        item = missing.pop(name, None)
        if item is None or item.size != size:
            raise StoreDamaged(f"this backup holds {name!r} otherwise than it lists it")
        pieces = _compared(file, item)
        yield item, pieces
        for _ in pieces:  # what was not asked for
            pass
        _skip_padding(file, size)
    if missing:
        raise StoreDamaged(f"this backup ends early: {', '.join(sorted(missing)[:3])} is missing")


def _header(file: IO[bytes]) -> tuple[str, int] | None:
    """Name and size of the next member; None at the end."""
    block = file.read(tarfile.BLOCKSIZE)
    if not block.strip(b"\0"):
        return None
    try:
        info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.HeaderError, ValueError) as error:
        raise StoreDamaged(f"this backup is damaged: {error}") from error
    if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.size < 0:
        raise StoreDamaged(f"this backup holds {info.name!r}, which is no plain file")
    return info.name, info.size


def _chunks(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size:
        data = file.read(min(size, _CHUNK))
        if not data:
            raise StoreDamaged("this backup ends early")
        size -= len(data)
        yield data


def _compared(file: IO[bytes], item: Item) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for data in _chunks(file, item.size):
        digest.update(data)
        yield data
    if digest.hexdigest() != item.sha256:
        raise StoreDamaged(f"{item.name} in this backup does not fit its checksum")


def _skip_padding(file: IO[bytes], size: int) -> None:
    file.read(-size % tarfile.BLOCKSIZE)
