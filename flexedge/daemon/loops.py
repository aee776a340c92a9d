"""The daemon's threads: three lines around a step that decides when it wants to be called again."""

import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from flexedge.daemon.clock import Sleeper

_PATIENCE_S = 1.0  # with a thread that hangs in a call; it does not keep the process alive
Step = Callable[[datetime], datetime | None]


class Time(Protocol):
    """What a loop lives by: ``Clock`` and ``Beside`` are such."""

    def now(self) -> datetime:
        """The present moment, in UTC."""

    def sleeper(self) -> Sleeper:
        """A new way of waiting, for one thread."""


class Loop:
    """One thread that calls ``step(now)``, waits until the moment it returned, and again.

    ``wake`` has it called at once. Leaving the context ends the thread after the present step.
    """

    def __init__(self, name: str, step: Step, clock: Time) -> None:
        self._step = step
        self._clock = clock
        self._sleeper = clock.sleeper()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)  # noqa: TID251 (home of threads)

    def _run(self) -> None:
        try:
            while not self._ending:
                due = self._step(self._clock.now())
                self._sleeper.sleep(due)
        finally:
            self._sleeper.close()

    def wake(self) -> None:
        """Call the step now rather than when it is due. From any thread."""
        self._sleeper.wake()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending = True
        self._sleeper.wake()
        self._thread.join(_PATIENCE_S)


class Service:
    """One thread around something that blocks until it is told to stop."""

    def __init__(self, name: str, run: Callable[[], None], stop: Callable[[], None]) -> None:
        self._stop = stop
        self._thread = threading.Thread(target=run, name=name, daemon=True)  # noqa: TID251 (home of threads)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._thread.join(_PATIENCE_S)
