from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from flexedge.web.feed import MOST_STREAMS, Feed, event

if TYPE_CHECKING:
    from tests.web.conftest import World

QUICK_S = 0.001


async def pieces(stream: AsyncIterator[bytes | None], count: int) -> list[str]:
    """The names of the next events."""
    names: list[str] = []
    async for piece in stream:
        if piece is not None:
            names.append(piece.split(b"\n")[0].removeprefix(b"event: ").decode())
            if len(names) == count:
                break
    return names


def test_an_event_is_two_lines_and_an_empty_one() -> None:
    assert event("status", b'{"a":1}') == b'event: status\ndata: {"a":1}\n\n'


def test_a_stream_begins_with_all_there_is_and_goes_on_with_the_status(world: World) -> None:
    async def run() -> list[str]:
        return await pieces(Feed(world, QUICK_S).stream(), 5)

    assert asyncio.run(run()) == ["status", "chart", "status", "status", "status"]


def test_a_new_plan_brings_a_new_chart(world: World) -> None:
    async def run() -> list[str]:
        stream = Feed(world, QUICK_S).stream()
        await pieces(stream, 2)
        plan = replace(world.state.plan, made_at=world.state.now + timedelta(minutes=5))
        world.state = replace(world.state, plan=plan)
        return await pieces(stream, 6)

    assert asyncio.run(run()).count("chart") == 1


def test_without_a_new_plan_the_chart_comes_every_sixty_rounds(world: World) -> None:
    async def run() -> list[str]:
        return await pieces(Feed(world, QUICK_S).stream(), 124)

    names = asyncio.run(run())
    assert [index for index, name in enumerate(names) if name == "chart"] == [1, 62, 123]


def test_ten_pages_cost_the_same_as_one(world: World) -> None:
    async def run() -> None:
        feed = Feed(world, 0.05)
        streams = [feed.stream() for _ in range(10)]
        await asyncio.gather(*(pieces(stream, 6) for stream in streams))

    asyncio.run(run())
    assert world.calls["status"] <= 7
    assert world.calls["chart"] == 1


def test_the_window_is_left_alone_when_nobody_looks_any_more(world: World) -> None:
    async def run() -> tuple[int, int]:
        feed = Feed(world, QUICK_S)
        stream = feed.stream()
        await pieces(stream, 3)
        await stream.aclose()
        if feed._task is not None:
            await feed._task
        before = world.calls["status"]
        await pieces(feed.stream(), 1)  # and it starts again for who comes later
        return before, world.calls["status"]

    before, after = asyncio.run(run())
    assert after > before


def test_closing_ends_streams_in_whatever_they_wait_for(world: World) -> None:
    async def run() -> int:
        feed = Feed(world, 3600)
        streams = [feed.stream() for _ in range(3)]
        for stream in streams:
            await pieces(stream, 2)
        waiting = [asyncio.create_task(pieces(stream, 99)) for stream in streams]
        await asyncio.sleep(0)
        feed.close()
        await asyncio.wait_for(asyncio.gather(*waiting), 5)
        late = [piece async for piece in feed.stream()]
        return len([piece for piece in late if piece])

    assert asyncio.run(run()) <= 2


def test_a_failing_window_is_logged_once_and_survived(world: World) -> None:
    async def run() -> list[str]:
        feed = Feed(world, QUICK_S)
        stream = feed.stream()
        await pieces(stream, 2)
        world.fault = RuntimeError("no view")
        for _ in range(10):
            assert await anext(stream) is None
        world.fault = None
        return await pieces(stream, 1)

    with capture_logs() as logs:
        assert asyncio.run(run()) == ["status"]
    assert [log["event"] for log in logs] == ["no live events: the gateway's view failed"]


def test_only_so_many_streams_fit(world: World) -> None:
    async def run() -> tuple[bool, bool, bool]:
        feed = Feed(world, QUICK_S)
        streams = [feed.stream() for _ in range(MOST_STREAMS)]
        empty = feed.full
        for stream in streams:
            await anext(stream)
        crowded = feed.full
        for stream in streams:
            await stream.aclose()
        return empty, crowded, feed.full

    assert asyncio.run(run()) == (False, True, False)
