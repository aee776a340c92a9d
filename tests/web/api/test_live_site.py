import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from flexedge.web.api.live_site import operations
from flexedge.web.api.op import Rejected, Reply
from flexedge.web.api.parts import Parts
from flexedge.web.app import build
from flexedge.web.auth import Access
from flexedge.web.server import Server
from flexedge.wire.gateway import Since
from tests.gateway.conftest import Hut, World, blank, hut
from tests.web.api.edge import MEMBER, STRANGER, call, parts_of

__all__ = ["blank", "hut"]
BATTERY = {"grid.power": 2.0, "battery.power": 0.0, "battery.soc": 50.0}


@pytest.fixture
def world(hut: Hut) -> World:
    world = hut("battery")
    world.show(BATTERY)
    world.tick()
    return world


def get(parts: Parts, path: str, query: Since | None = None) -> Reply:
    return call(parts, operations(parts), "GET", path, MEMBER, query=query)


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def first(stream: AsyncIterator[bytes], count: int) -> list[dict[str, str]]:
    events = []
    async for piece in stream:
        lines = dict(line.split(": ", 1) for line in piece.decode().splitlines() if ": " in line)
        if "event" in lines:
            events.append(lines)
        if len(events) == count:
            break
    return events


async def status(parts: Parts, since: int = 0, wait: float = 5.0) -> tuple[int, dict[str, object]]:
    reply = get(parts, "/status", Since(since=since, wait=wait))
    assert reply.stream is not None
    text = b"".join([piece async for piece in reply.stream(yes)])
    told = json.loads(text)
    return told["revision"], told["status"]


def test_events_have_names_and_growing_numbers(world: World) -> None:
    parts = parts_of(world)
    reply = get(parts, "/live")
    assert reply.media_type == "text/event-stream"
    assert reply.stream is not None
    events = asyncio.run(first(reply.stream(yes), 4))
    assert [one["event"] for one in events] == ["status", "schedule", "status", "status"]
    numbers = [int(one["id"]) for one in events]
    assert sorted(set(numbers)) == numbers
    assert json.loads(events[0]["data"])["site"] == "Hut"


def test_a_stream_ends_with_the_token(world: World) -> None:
    reply = get(parts_of(world), "/live")
    assert reply.stream is not None
    pieces = asyncio.run(first(reply.stream(no), 10**6))
    assert 15 <= len(pieces) <= 20


def test_only_members_listen_and_only_so_many(world: World) -> None:
    parts = parts_of(world)
    with pytest.raises(Rejected) as error:
        call(parts, operations(parts), "GET", "/live", STRANGER)
    assert error.value.status == 403
    assert parts.feed is not None
    parts.feed._streams = 32
    with pytest.raises(Rejected) as error:
        get(parts, "/live")
    assert error.value.status == 503


def test_who_knows_nothing_is_told_at_once(world: World) -> None:
    revision, told = asyncio.run(status(parts_of(world)))
    assert revision > 0
    assert told["site"] == "Hut"


def test_who_knows_it_all_waits_for_news(world: World) -> None:
    parts = parts_of(world)

    async def run() -> tuple[int, int, str]:
        known, _ = await status(parts)
        world.now += timedelta(seconds=1)  # values are no news
        waiting = asyncio.create_task(status(parts, known))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        world.gateway.health.alarm("plan", "no new plan")
        newer, told = await waiting
        return known, newer, str(told["alarms"])

    known, newer, alarms = asyncio.run(run())
    assert newer > known
    assert "no new plan" in alarms


def test_after_the_wait_it_is_told_that_nothing_happened(world: World) -> None:
    parts = parts_of(world)

    async def run() -> tuple[int, int]:
        known, _ = await status(parts)
        return known, (await status(parts, known, 0.05))[0]

    known, same = asyncio.run(run())
    assert same == known


def test_a_revision_of_another_run_is_no_reason_to_wait(world: World) -> None:
    parts = parts_of(world)
    assert asyncio.run(status(parts, 10**15))[0] < 10**15


def test_over_http_events_come_as_they_happen_and_end_with_the_server(
    world: World, tmp_path: Path
) -> None:
    parts = replace(parts_of(world), feed=None)
    access = Access(parts.state, tmp_path, lambda: world.now)
    server = Server(build(parts.window, access, parts), "127.0.0.1", 0)
    server.start()
    with ThreadPoolExecutor() as pool, requests.Session() as session:
        serving = pool.submit(server.serve)
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {access.local_token}"
        place = f"{server.url}/api/v3_0/gateway"
        told = session.get(f"{place}/status", params={"since": 1, "wait": 9}, timeout=10).json()
        assert told["status"]["site"] == "Hut"
        with session.get(f"{place}/live", stream=True, timeout=10) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            assert next(line for line in lines if line.startswith(b"event")) == b"event: status"
            server.stop()
            assert [line for line in lines if line.startswith(b"event: bye")] == []
        serving.result(10)
