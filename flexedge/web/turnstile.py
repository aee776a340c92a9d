"""Lets slow password checks through one at a time, without holding a thread for each waiter."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool

from flexedge.errors import RequestError

MOST_WAITING = 20
MOST_THREADS = 8
_TOO_MANY = "Too many people are logging in. Try again in a moment."
_P = ParamSpec("_P")
_T = TypeVar("_T")


class Turnstile:
    """One at a time, first come first served; who finds too long a queue is sent away (503)."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._waiting = 0

    async def run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run the work in a thread when it is its turn; passes on what it raises."""
        if self._waiting >= MOST_WAITING:
            raise RequestError(503, _TOO_MANY)
        self._waiting += 1
        try:
            async with self._lock:
                return await run_in_threadpool(work, *args, **kwargs)
        finally:
            self._waiting -= 1


class Gate:
    """The same for threads, of which few may wait: one at a time, the others are sent away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._inside = 0

    @contextmanager
    def through(self) -> Iterator[None]:
        """Wait for one's turn and have it. Raises ``RequestError`` 503."""
        with self._counting:
            if self._inside > MOST_THREADS:
                raise RequestError(503, _TOO_MANY)
            self._inside += 1
        try:
            with self._lock:
                yield
        finally:
            with self._counting:
                self._inside -= 1
