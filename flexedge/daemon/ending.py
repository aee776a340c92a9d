"""What ends a run, without ever being missed."""

import select
import signal
import socket
from contextlib import ExitStack
from types import FrameType, TracebackType
from typing import Final, Self

_AGAIN: Final = b"\0"
_MOST_BYTES: Final = 4096


class Ending:
    """Waits in the main thread for a signal, or for somebody who wants the run to begin anew.

    Python acts on a signal between two of its instructions. One that comes while a wait on a lock
    is just about to begin is noted, but does not end that wait, which may then last for ever. So
    the interpreter writes a byte into a socket as a signal comes, and a byte waits to be read.
    """

    def __init__(self) -> None:
        self._told, self._tell = socket.socketpair()
        self._tell.setblocking(False)
        self._before = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._before.close()
        self._told.close()
        self._tell.close()

    def on_signals(self) -> None:
        """Let SIGTERM and SIGINT end the run until this is left; only from the main thread."""
        for one in (signal.SIGTERM, signal.SIGINT):
            self._before.callback(signal.signal, one, signal.signal(one, _noted))
        before = signal.set_wakeup_fd(self._tell.fileno(), warn_on_full_buffer=False)
        self._before.callback(signal.set_wakeup_fd, before)

    def again(self) -> None:
        """Let the run begin anew, unless it is to end anyway; from any thread."""
        try:
            self._tell.send(_AGAIN)
        except BlockingIOError:
            return  # there is more than enough to be read already

    def wait(self, timeout_s: float | None = None) -> bool | None:
        """Until something comes: whether to begin anew; None: nothing came within the time."""
        if not select.select([self._told], [], [], timeout_s)[0]:
            return None
        return not self._told.recv(_MOST_BYTES).strip(_AGAIN)


def _noted(_signal: int, _frame: FrameType | None) -> None:
    """The interpreter has written its byte: what waits for it acts."""
