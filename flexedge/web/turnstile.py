"""Lets slow password checks through one at a time, without holding a thread for each waiter."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool

from flexedge.errors import RequestError

MOST_WAITING = 20
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
            raise RequestError(503, "Too many people are logging in. Try again in a moment.")
        self._waiting += 1
        try:
            async with self._lock:
                return await run_in_threadpool(work, *args, **kwargs)
        finally:
            self._waiting -= 1
