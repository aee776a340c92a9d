import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers

from flexedge.store.tables.accounts import Account
from flexedge.web.api import data
from flexedge.web.api.live import LiveData, operations
from flexedge.web.api.op import Call, Rejected, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.data import Live
from tests.web.api.calls import NOW, Platform, platform, sensor_of
from tests.web.api.test_data import post
from tests.web.conftest import Site

LIVE = "/api/v3_0/data/live"


@pytest.fixture
def here(tmp_path: Path) -> Platform:
    found = platform(tmp_path)
    ops = (*operations(found.parts), *data.operations(found.parts))
    found.ops = {(op.method, op.path): op for op in ops}
    return found


def ask(here: Platform, live: LiveData, headers: dict[str, str] | None = None,
        **query: Any) -> Reply:  # fmt: skip
    asked = Live.model_validate(query)
    call = Call(here.user(), NOW, {}, asked, None, Headers(headers or {}), "127.0.0.1")
    return live.get(call)


async def always() -> bool:
    return True


def stream(reply: Reply, welcome: Callable[[], Any] = always) -> AsyncIterator[bytes]:
    assert reply.stream is not None
    return reply.stream(welcome)


def waited(reply: Reply) -> dict[str, Any]:
    async def piece() -> bytes:
        return b"".join([one async for one in stream(reply)])

    found: dict[str, Any] = json.loads(asyncio.run(piece()))
    return found


def test_what_is_new_is_told_to_who_waits(here: Platform) -> None:
    number, other = here.sensor(), here.sensor("other")
    first = waited(here.call("GET", LIVE, query={"sensors": str(number), "wait": 0}))
    assert (first["data"], first["missed"]) == ([], False)
    post(here, other, [5, 5, 5, 5])
    post(here, number, [1, None, 2, 2])
    query = {"sensors": str(number), "wait": 5, "since": first["cursor"]}
    told = waited(here.call("GET", LIVE, query=query))
    (source,) = here.parts.state.sources()
    assert told["data"] == [{
        "sensor": number, "source": source, "unit": "kW", "resolution": "PT15M",
        "event-starts": [f"2026-04-13T22:{m}:00+00:00" for m in ("00", "30", "45")],
        "belief-times": ["2026-04-14T12:00:00+00:00"] * 3,
        "probabilities": [0.5] * 3, "values": [1, 2, 2],
    }]  # fmt: skip
    query["since"], query["wait"] = told["cursor"], 0
    assert waited(here.call("GET", LIVE, query=query))["data"] == []


def test_who_waits_is_woken(here: Platform) -> None:
    number = here.sensor()
    reply = here.call("GET", LIVE, query={"sensors": str(number), "wait": 30})

    async def both() -> list[bytes]:
        async def read() -> list[bytes]:
            return [one async for one in stream(reply)]

        task = asyncio.create_task(read())
        await asyncio.sleep(0)
        await asyncio.to_thread(post, here, number, [1, 2, 3, 4])
        return await task

    (piece,) = asyncio.run(both())
    assert json.loads(piece)["data"][0]["values"] == [1, 2, 3, 4]


def test_events_have_the_cursor_as_their_id_and_can_be_taken_up_again(here: Platform) -> None:
    number = here.sensor()
    live = LiveData(here.parts, here.parts.reel)
    start = here.parts.reel.cursor

    async def read() -> list[bytes]:
        events = stream(ask(here, live, sensors=str(number), since=start))
        pieces = [await anext(events)]
        await asyncio.to_thread(post, here, number, [1, 2, 3, 4])
        pieces.append(await anext(events))
        await events.aclose()  # type: ignore[attr-defined]
        again = stream(ask(here, live, {"last-event-id": start}, sensors=str(number)))
        pieces += [await anext(again), await anext(again)]
        await again.aclose()  # type: ignore[attr-defined]
        return pieces

    welcome, event, _, again = asyncio.run(read())
    assert welcome == b": welcome\n\n"
    assert event == again
    name, cursor, body = event.decode().strip().split("\n")
    assert (name, cursor) == ("event: beliefs", f"id: {here.parts.reel.cursor}")
    assert json.loads(body.removeprefix("data: "))["values"] == [1, 2, 3, 4]


def test_who_missed_something_is_told(here: Platform) -> None:
    number = here.sensor()
    told = waited(here.call("GET", LIVE, query={"sensors": str(number), "wait": 9, "since": "x"}))
    assert (told["missed"], told["data"]) == (True, [])

    async def read() -> bytes:
        events = stream(here.call("GET", LIVE, query={"sensors": str(number), "since": "x"}))
        await anext(events)
        piece = await anext(events)
        await events.aclose()  # type: ignore[attr-defined]
        return piece

    assert asyncio.run(read()).startswith(b"event: missed\nid: ")


def test_a_stream_shows_life_and_ends_with_the_welcome(here: Platform) -> None:
    live = LiveData(here.parts, here.parts.reel, heartbeat_s=0.001)
    asked = iter([True, True, False])

    async def welcome() -> bool:
        return next(asked)

    async def read() -> list[bytes]:
        return [one async for one in stream(ask(here, live, sensors=str(here.sensor())), welcome)]

    assert asyncio.run(read()) == [b": welcome\n\n", *[b": still here\n\n"] * 2]


def test_a_stream_ends_when_the_sensor_is_none_of_the_callers_business(here: Platform) -> None:
    live = LiveData(here.parts, here.parts.reel, heartbeat_s=0.001)
    number = here.sensor()
    asset = here.parts.state.assets.get(here.asset)
    assert asset is not None
    account = here.parts.state.accounts.add(Account("Else"))

    async def read() -> list[bytes]:
        events = stream(ask(here, live, sensors=str(number)))
        pieces = [await anext(events), await anext(events)]
        here.parts.state.assets.change(here.asset, replace(asset, account_id=account))
        return pieces + [one async for one in events]

    assert asyncio.run(read()) == [b": welcome\n\n", b": still here\n\n"]


def test_streams_end_when_the_server_does(here: Platform) -> None:
    number = here.sensor()

    async def read() -> list[bytes]:
        events = stream(here.call("GET", LIVE, query={"sensors": str(number)}))
        pieces = [await anext(events)]
        rest = asyncio.create_task(anext(events, b"the end"))
        await asyncio.sleep(0)
        here.parts.reel.close()
        return [*pieces, await rest]

    assert asyncio.run(read()) == [b": welcome\n\n", b"the end"]


def test_there_are_not_too_many_streams(here: Platform) -> None:
    live = LiveData(here.parts, here.parts.reel, most=1)
    number = here.sensor()

    async def read() -> None:
        first = stream(ask(here, live, sensors=str(number)))
        await anext(first)
        with pytest.raises(Rejected) as told:
            ask(here, live, sensors=str(number))
        assert (told.value.status, told.value.headers) == (503, {"Retry-After": "5"})
        await first.aclose()  # type: ignore[attr-defined]
        ask(here, live, sensors=str(number))

    asyncio.run(read())


def test_not_everybody_may(here: Platform) -> None:
    stranger = replace(here.user(), account_id=99)
    with pytest.raises(Rejected) as told:
        here.call("GET", LIVE, query={"sensors": str(here.sensor())}, caller=stranger)
    assert told.value.status == 403


def test_over_http_a_stream_is_open_until_the_server_stops(site: Site, parts: Parts) -> None:
    number, url = sensor_of(site, parts)
    live = f"{site.url}/api/v3_0/data/live"
    with site.program().get(live, params={"sensors": number}, stream=True) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        pieces = answer.iter_content(None)
        assert next(pieces) == b": welcome\n\n"
        body = {"start": NOW.isoformat(), "duration": "PT15M", "values": [7], "unit": "kW"}
        site.program().post(url, json=body)
        assert b'"values":[7.0]' in next(pieces)
        site.server.stop()
        assert list(pieces) == []
