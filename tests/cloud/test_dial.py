import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest

from flexedge.cloud.dial import (
    PATIENCE,
    Address,
    NoConnection,
    NoSuchName,
    Patience,
    alternating,
    dial,
    reach,
)

V4, V6 = socket.AF_INET, socket.AF_INET6


@contextmanager
def patience(total_s: float = 5, connect_s: float = 5) -> Iterator[Patience]:
    made = Patience(time.monotonic() + total_s, connect_s)
    token = PATIENCE.set(made)
    yield made
    PATIENCE.reset(token)


@contextmanager
def black_hole() -> Iterator[Any]:
    """An address that never answers: the queue of who waits there is full."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield full.getsockname()


@contextmanager
def listening() -> Iterator[Any]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


def closed() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()


def test_families_are_tried_by_turns() -> None:
    found: list[Address] = [(V6, "a"), (V6, "b"), (V6, "b"), (V4, "c"), (V6, "d"), (V4, "e")]
    assert alternating(found) == [(V6, "a"), (V4, "c"), (V6, "b"), (V4, "e"), (V6, "d")]
    assert alternating([(V4, "c"), (V4, "e")]) == [(V4, "c"), (V4, "e")]
    assert alternating([]) == []


def test_an_address_that_never_answers_holds_nothing_up() -> None:
    with black_hole() as hole, listening() as good:
        for addresses in ([hole, good], [hole, hole, good], [good, hole], [closed(), hole, good]):
            with closing(reach([(V4, one) for one in addresses], 4)) as made:
                assert made.getpeername() == good


def test_a_family_that_the_machine_does_not_have_holds_nothing_up() -> None:
    with listening() as good:
        nowhere: list[Address] = [(V6, ("100::1", 9, 0, 0)), (V4, good)]
        with closing(reach(nowhere, 4)) as made:
            assert made.getpeername() == good


def test_addresses_that_refuse_hold_nothing_up() -> None:
    with listening() as good:
        many = [(V4, closed()) for _ in range(40)]  # 10 s, if each had its time
        with closing(reach([*many, (V4, good)], 4)) as made:
            assert made.getpeername() == good


def test_nobody_there_is_told_with_the_reason() -> None:
    with pytest.raises(NoConnection, match="refused"):
        reach([(V4, closed()), (V4, closed())], 4)
    with black_hole() as hole, pytest.raises(NoConnection, match="no answer in time"):
        reach([(V4, hole)], 0.4)
    with pytest.raises(NoConnection):
        reach([], 4)


def test_a_dead_other_side_is_noticed_by_the_kernel() -> None:
    with listening() as good, patience() as told, closing(dial("127.0.0.1", good[1])) as made:
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert told.dialled == 1
        assert made.gettimeout() is not None


@pytest.mark.parametrize("name", ["nowhere.invalid", "x" * 70, ".", "a..b", "\udcff"])
def test_a_name_without_address_is_told(name: str) -> None:
    with patience(), pytest.raises(NoSuchName):
        dial(name, 80)


def test_all_waits_end_by_one_deadline() -> None:
    with listening() as good:
        with patience() as told:
            made = dial("127.0.0.1", good[1])
            told.until = time.monotonic()
            with made:
                for wait in (lambda: made.recv_into(bytearray(9)), lambda: made.sendall(b"x")):
                    with pytest.raises(TimeoutError):
                        wait()
        with patience(total_s=0), pytest.raises(TimeoutError):
            dial("127.0.0.1", good[1])


def test_what_is_heard_is_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, patience() as told:
        with closing(dial("127.0.0.1", server.getsockname()[1])) as made:
            other, _ = server.accept()
            with other:
                other.sendall(b"seven b")
                assert made.recv_into(bytearray(100)) == 7
    assert told.heard == 7
