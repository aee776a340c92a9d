"""Work in processes of its own, which may die of it. What is imported is imported once."""

import json
import os
import pickle
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

_T = TypeVar("_T")
LONGEST_S = 60
"""So long a piece of work may take; a longer one is killed and counts as dead."""


class Died(Exception):
    """The process ended otherwise than by giving a result."""


def apart(work: Callable[[], _T], longest_s: int = LONGEST_S) -> _T:
    """What work gives, done in a process of its own. Raises ``Died``."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _be_the_child(work, writing, longest_s)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code or not data:
        words = data.decode(errors="replace") if code > 0 else signal.Signals(-code).name
        raise Died(words)
    result: _T = pickle.loads(data)  # noqa: S301 (of our own child)
    return result


def _be_the_child(work: Callable[[], _T], writing: int, longest_s: int) -> None:
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(longest_s)
        data = pickle.dumps(work())
        code = 0
    except BaseException:  # noqa: BLE001 (told by who waits)
        data = traceback.format_exc(limit=-4).encode()
    at = 0
    while at < len(data):
        at += os.write(writing, data[at:])
    os._exit(code)


def spread(jobs: Sequence[_T], work: Callable[[_T], str]) -> Iterator[tuple[_T, str]]:
    """Do jobs on all processors, in any order; each job with what came of it."""
    reading, writing = os.pipe()
    workers = os.cpu_count() or 1
    children = []
    for first in range(workers):
        child = os.fork()
        if not child:
            _share(range(first, len(jobs), workers), jobs, work, writing)
        children.append(child)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        for line in pipe:
            number, told = json.loads(line)
            yield jobs[number], told
    for child in children:
        _, status = os.waitpid(child, 0)
        if status:
            raise Died("a share of the work was not done to its end")


def _share(numbers: range, jobs: Sequence[_T], work: Callable[[_T], str], writing: int) -> None:
    code = 1
    try:
        for number in numbers:
            line = json.dumps([number, work(jobs[number])[:1500]]) + "\n"
            os.write(writing, line.encode())  # short enough to be whole
        code = 0
    except BaseException:  # noqa: BLE001 (told by who waits)
        traceback.print_exc()
    finally:
        os._exit(code)
