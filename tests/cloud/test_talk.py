from contextlib import closing
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from flexedge.cloud.pace import Pace
from flexedge.cloud.shapes import mapping
from flexedge.cloud.talk import Talk, nothing
from flexedge.cloud.transport import How, Request
from flexedge.errors import CentreAway, CentreLocked, CentreRefused
from tests.cloud.faulty import Faulty, Step, answer, resets, says
from tests.cloud.parts import NOW, Clock, Held

MINUTE = timedelta(minutes=1)


def talk(server: Faulty, pace: Pace | None = None, clock: Clock | None = None) -> Talk:
    pace = pace or Pace(10_000, Random(1))
    return Talk("main", server.url, Held(), clock or Clock(), pace, How())


class Noted(Pace):
    """A pace that notes what it is told."""

    def __init__(self) -> None:
        super().__init__(10_000, Random(1))
        self.told: list[str] = []

    def succeeded(self, now: datetime) -> None:
        self.told.append("succeeded")
        super().succeeded(now)

    def failed(self, error: CentreAway, now: datetime) -> datetime:
        self.told.append(error.kind)
        return super().failed(error, now)


def same(told: Any) -> Any:
    return told


def test_what_is_asked_is_put_together() -> None:
    with Faulty([says(answer(200, [5]))]) as server:
        made = talk(server)
        assert made.get("/x", same, {"start": "2026-04-14T12:00:00+00:00", "unit": "°C"}) == [5]
        assert made.send("PATCH", "/y", {"a": ["ü", None, 1.5]}, same) == [5]
        made.transport.close()
    get, patch = server.got
    assert get.path == "/api/v3_0/x?start=2026-04-14T12%3A00%3A00%2B00%3A00&unit=%C2%B0C"
    assert (get.method, get.body, get.headers["authorization"]) == ("GET", b"", "secret-token")
    assert (patch.method, patch.path, patch.json) == (
        "PATCH",
        "/api/v3_0/y",
        {"a": ["ü", None, 1.5]},
    )
    assert patch.headers["content-type"] == "application/json"


@pytest.mark.parametrize("odd", [{"a": float("nan")}, [float("inf")], {"a": NOW}])
def test_what_is_no_json_is_not_sent(odd: object) -> None:
    with Faulty([says(answer(200, []))]) as server:
        made = talk(server)
        with pytest.raises(CentreRefused) as caught:
            made.send("POST", "/x", odd, nothing)
    assert (caught.value.status, caught.value.code) == (422, "NO_JSON")
    assert server.got == []


@pytest.mark.parametrize(
    ("step", "error", "told"),
    [
        (says(answer(200, {})), None, ["succeeded"]),
        (says(answer(403, {"message": "No."})), CentreRefused, ["succeeded"]),
        (says(answer(401, {"message": "Who?"})), CentreLocked, ["succeeded"]),
        (says(answer(429, {}, {"Retry-After": "9"})), CentreAway, ["busy"]),
        (says(answer(500, {})), CentreAway, []),
        (says(answer(200, b"<html>", {"Content-Type": "text/html"})), CentreAway, []),
        (resets(), CentreAway, []),
    ],
)  # fmt: skip
def test_the_pace_is_told_how_it_went(
    step: Step, error: type[Exception] | None, told: list[str]
) -> None:
    pace = Noted()
    with Faulty([step]) as server:
        made = talk(server, pace)
        with closing(made.transport):
            if error is None:
                made.get("/x", same)
            else:
                with pytest.raises(error):
                    made.get("/x", same)
    assert pace.told == told
    assert pace.requests == 1


def test_a_server_that_wants_a_rest_gets_one() -> None:
    clock = Clock()
    steps = [says(answer(429, {}, {"Retry-After": "90"})), says(answer(200, {}))]
    with Faulty(steps) as server:
        made = talk(server, clock=clock)
        with closing(made.transport):
            with pytest.raises(CentreAway) as caught:
                made.get("/x", same)
            assert (caught.value.kind, caught.value.retry_after) == ("busy", 1.5 * MINUTE)
            clock.on(MINUTE)
            with pytest.raises(CentreAway) as caught:
                made.get("/x", same)
            assert (caught.value.kind, caught.value.retry_after) == ("paced", 0.5 * MINUTE)
            assert caught.value.centre == "main"
            assert len(server.got) == 1
            clock.on(0.5 * MINUTE)
            made.get("/x", same)


def test_an_answer_of_another_shape_is_garbled() -> None:
    with Faulty([says(answer(200, []))]) as server:
        made = talk(server)
        with closing(made.transport), pytest.raises(CentreAway) as caught:
            made.get("/x", mapping)
    assert caught.value.kind == "garbled"
    assert "an object was expected" in caught.value.message


def test_the_servers_clock_is_compared_with_ours() -> None:
    date = {"Date": "Tue, 14 Apr 2026 13:00:00 GMT"}
    with Faulty([says(answer(200, {}, date)), says(answer(200, {}))]) as server:
        made = talk(server)
        with closing(made.transport):
            assert made.ahead is None
            made.get("/x", same)
            assert made.ahead == timedelta(hours=1)
            made.bare(Request("GET", "/api/"))
            assert made.ahead is None
