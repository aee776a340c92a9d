"""Waiting for what another program will do, with a deadline; and reading what it says."""

import os
import select
import threading
import time
from collections.abc import Callable
from typing import IO, TypeVar

_LOOK_EVERY_S = 0.05
_PIECE = 1 << 16
_T = TypeVar("_T")


def eventually(look: Callable[[], _T], within_s: float, every_s: float = _LOOK_EVERY_S) -> _T:
    """What ``look`` gives as soon as it no longer fails; its last failure after the deadline."""
    never = threading.Event()
    deadline = time.monotonic() + within_s
    while True:
        try:
            return look()
        except AssertionError:
            if time.monotonic() >= deadline:
                raise
        never.wait(every_s)


class Lines:
    """The lines a program prints, with a deadline for each."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._rest = b""

    def next(self, within_s: float) -> str:
        """The next line. Fails if it does not come in time, or never will."""
        deadline = time.monotonic() + within_s
        while b"\n" not in self._rest:
            left = max(deadline - time.monotonic(), 0.0)
            readable, _, _ = select.select([self._pipe], [], [], left)
            assert readable, f"nothing said within {within_s} s"
            piece = os.read(self._pipe.fileno(), _PIECE)
            assert piece, "the program has ended"
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()
