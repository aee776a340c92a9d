"""What becomes of files on a bad disk."""

import sqlite3
from contextlib import closing
from pathlib import Path


def spoil(path: Path) -> None:
    """Turn a byte in the middle over; the size stays."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def swap(one: Path, other: Path) -> None:
    """Give each the other's content."""
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def say(journal: Path, *statements: str) -> None:
    """Change what stands in a journal that is closed."""
    with closing(sqlite3.connect(journal)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def files(folder: Path, kind: str) -> list[Path]:
    """The partitions of a kind."""
    return sorted((folder / "history" / kind).glob("*.parquet"))
