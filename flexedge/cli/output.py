"""Tables for people, JSON for programs."""

import ctypes
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_STDOUT, _STDERR = 1, 2


def print_json(content: Any) -> None:
    """Print JSON, indented."""
    print(json.dumps(content, indent=2, ensure_ascii=False))


@contextmanager
def aside() -> Iterator[None]:
    """Let what libraries print of their own accord go to standard error.

    HiGHS 1.15 prints some remarks to standard output, whatever its options say.
    """
    sys.stdout.flush()
    kept = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)
        os.dup2(kept, _STDOUT)
        os.close(kept)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns as wide as they must be; numbers to the right, missing as a dash."""
    cells = [list(head)] + [[text(cell) for cell in row] for row in rows]
    right = [
        all(_is_number(row[i]) for row in cells[1:]) and len(cells) > 1 for i in range(len(head))
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in cells
    ]
    return "\n".join(lines)


def text(cell: object) -> str:
    """A cell: numbers with at most three decimals, missing as a dash."""
    if cell is None or cell == "":
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        cell = round(cell, 3) + 0.0  # never -0
        return f"{cell:.3f}".rstrip("0").rstrip(".") if abs(cell) < 1e6 else f"{cell:g}"  # noqa: PLR2004 (a million)
    return str(cell)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell == "-"
    return True


def ago(seconds: float | None) -> str:
    """An age in words."""
    if seconds is None:
        return "never"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
