import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from flexedge.store.rows import Beliefs
from flexedge.web.newsreel import Newsreel


def rows(*sensors: int) -> Beliefs:
    n = len(sensors)
    return Beliefs(
        np.array(sensors, np.int32),
        np.ones(n, np.int32),
        np.arange(n, dtype=np.int64),
        np.zeros(n, np.int64),
        np.full(n, 0.5),
        np.array(sensors, np.float64),
    )


def heard(reel: Newsreel, cursor: str, *sensors: int) -> tuple[list[float], bool]:
    news = reel.since(cursor, sensors)
    return news.rows.value.tolist(), news.missed


def test_what_came_after_a_place_is_told_of_the_sensors_asked_for() -> None:
    reel = Newsreel()
    start = reel.cursor
    reel.hear(rows(1, 2))
    middle = reel.cursor
    reel.hear(rows(3, 1))
    assert heard(reel, start, 1) == ([1, 1], False)
    assert heard(reel, middle, 1, 3) == ([3, 1], False)
    assert heard(reel, reel.cursor, 1) == ([], False)
    assert reel.since(start, [1]).cursor == reel.cursor


def test_who_is_too_far_behind_is_told_so() -> None:
    reel = Newsreel(most_rows=3)
    start = reel.cursor
    reel.hear(rows(1, 1))
    middle = reel.cursor
    reel.hear(rows(2, 2))
    assert heard(reel, start, 1, 2) == ([], True)
    assert heard(reel, middle, 1, 2) == ([2, 2], False)
    reel.hear(rows(*[1] * 9))
    assert heard(reel, middle, 1) == ([], True)


@pytest.mark.parametrize("strange", ["", "x", "x-1", "{run}-9", "{run}--1", "{run}-" + "9" * 30])
def test_a_place_that_is_not_known_counts_as_missed(strange: str) -> None:
    reel = Newsreel()
    reel.hear(rows(1))
    run = reel.cursor.partition("-")[0]
    news = reel.since(strange.replace("{run}", run), [1])
    assert (news.missed, len(news.rows), news.cursor) == (True, 0, reel.cursor)


def test_news_from_a_thread_wakes_who_waits() -> None:
    reel = Newsreel()

    async def waits() -> list[bool]:
        start = reel.cursor
        both = [asyncio.create_task(reel.wait(start, 30)) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.to_thread(reel.hear, rows(1))
        woken = await asyncio.gather(*both)
        return [*woken, await reel.wait(start, 30), await reel.wait(reel.cursor, 0.001)]

    assert asyncio.run(waits()) == [True, True, True, False]


def test_closing_wakes_everybody_for_good() -> None:
    reel = Newsreel()

    async def waits() -> Sequence[bool]:
        task = asyncio.create_task(reel.wait(reel.cursor, 30))
        await asyncio.sleep(0)
        reel.close()
        return [await task, await reel.wait(reel.cursor, 30)]

    assert asyncio.run(waits()) == [True, True]


def test_a_loop_that_has_ended_harms_nobody() -> None:
    reel = Newsreel()
    loop = asyncio.new_event_loop()
    loop.close()
    reel._sleepers.add((loop, asyncio.Event()))
    reel.hear(rows(1))
    assert reel.cursor.endswith("-1")
