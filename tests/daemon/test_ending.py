import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from flexedge.daemon.ending import Ending


def test_nothing_comes(ending: Ending) -> None:
    assert ending.wait(0) is None


@pytest.mark.parametrize("one", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(ending: Ending, one: signal.Signals) -> None:
    signal.raise_signal(one)
    assert ending.wait() is False
    assert ending.wait(0) is None


def test_a_signal_is_heard_while_it_is_waited_for(ending: Ending) -> None:
    # What the interpreter does of a signal's handler comes too late for a wait that has begun: a
    # thread that takes the signal leaves the main one waiting, unless a byte wakes it.
    def take() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    with ThreadPoolExecutor() as others:
        others.submit(take)
        assert ending.wait(20) is False


def test_somebody_wants_another_run(ending: Ending) -> None:
    with ThreadPoolExecutor() as others:
        others.submit(ending.again)
        assert ending.wait() is True
    assert ending.wait(0) is None


def test_an_end_goes_before_another_run(ending: Ending) -> None:
    ending.again()
    signal.raise_signal(signal.SIGTERM)
    ending.again()
    assert ending.wait() is False


def test_more_is_told_than_anybody_reads(ending: Ending) -> None:
    for _ in range(100_000):
        ending.again()
    assert ending.wait() is True


def test_what_was_in_force_before_is_again() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with Ending() as ending:
        ending.on_signals()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert signal.set_wakeup_fd(-1) == -1
