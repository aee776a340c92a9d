import asyncio
import threading

import pytest

from flexedge.errors import RequestError
from flexedge.web.turnstile import MOST_THREADS, MOST_WAITING, Gate, Turnstile


def test_one_at_a_time_in_order() -> None:
    inside, most, order = 0, 0, []
    lock = threading.Lock()

    def work(n: int) -> int:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        order.append(n)
        with lock:
            inside -= 1
        return n

    async def run() -> list[int]:
        turnstile = Turnstile()
        return await asyncio.gather(*(turnstile.run(work, n) for n in range(10)))

    assert asyncio.run(run()) == list(range(10))
    assert (most, order) == (1, list(range(10)))


def test_who_finds_too_long_a_queue_is_sent_away_and_may_come_back() -> None:
    gate = threading.Event()

    async def run() -> None:
        turnstile = Turnstile()
        waiting = [asyncio.create_task(turnstile.run(gate.wait, 5.0)) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(RequestError) as caught:
            await turnstile.run(gate.is_set)
        assert caught.value.status == 503
        gate.set()
        assert all(await asyncio.gather(*waiting))
        assert await turnstile.run(gate.is_set)

    asyncio.run(run())


def test_failures_pass_through_and_free_the_way() -> None:
    async def run() -> None:
        turnstile = Turnstile()
        with pytest.raises(ZeroDivisionError):
            await turnstile.run(lambda: 1 / 0)
        assert await turnstile.run(lambda: 7) == 7

    asyncio.run(run())


def test_few_threads_wait_at_the_gate_and_it_opens_again() -> None:
    gate = Gate()
    gate._inside = MOST_THREADS
    with gate.through():
        assert gate._inside == MOST_THREADS + 1
        with pytest.raises(RequestError) as caught, gate.through():
            pass
    assert caught.value.status == 503
    with pytest.raises(KeyError), gate.through():
        raise KeyError
    with gate.through():
        pass
