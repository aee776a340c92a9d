"""Rows as PostgreSQL's binary formats have them: big-endian, one after another.

https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format". No value is ever null here, so
that every row has the same length and numpy takes and gives them whole.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flexedge.store.rows import DTYPES

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_WIRE = {"i4": (">i4", "integer", "int4send"), "i8": (">i8", "bigint", "int8send"),
         "f8": (">f8", "double precision", "float8send"),
         "u1": (">i2", "smallint", "int2send")}  # fmt: skip
"""By numpy's type: how it travels, what PostgreSQL calls it, and which function packs it."""


def _wire(column: str) -> tuple[str, str, str]:
    return _of(DTYPES[column])


def _of(kind: Any) -> tuple[str, str, str]:
    return _WIRE[np.dtype(kind).str[1:]]


def sql_type(column: str) -> str:
    """The type of a column in a table."""
    return _wire(column)[1]


def sent(columns: Sequence[str]) -> str:
    """An expression for the bytes of one row; ``received`` reads many of them."""
    return " || ".join(f"{_wire(name)[2]}({name})" for name in columns)


def received(columns: Sequence[str], data: bytes) -> dict[str, NDArray[Any]]:
    """The columns of rows that were packed by ``sent``, in the types that are kept."""
    rows = np.frombuffer(data, np.dtype([(name, _wire(name)[0]) for name in columns]))
    return {name: rows[name].astype(DTYPES[name]) for name in columns}


def copied(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """What ``COPY ... FROM STDIN (FORMAT BINARY)`` takes for these columns."""
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, column in columns.items():
        layout += [(f"{name}_bytes", ">i4"), (name, _of(column.dtype)[0])]
    rows = np.empty(len(next(iter(columns.values()))), np.dtype(layout))
    rows["fields"] = len(columns)
    for name, column in columns.items():
        rows[f"{name}_bytes"] = rows[name].dtype.itemsize
        rows[name] = column
    return _HEADER + rows.tobytes() + _TRAILER
