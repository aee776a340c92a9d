import asyncio
import json
import math
from datetime import UTC, datetime

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from flexedge.errors import RequestError, TooManyTries
from flexedge.gateway.view import BeliefView
from flexedge.web.answers import BELIEFS, answer, failure, http_error, request_error

NOW = datetime(2026, 4, 21, tzinfo=UTC)
REQUEST = Request({"type": "http", "headers": []})


def test_values_become_json_and_nan_becomes_null() -> None:
    body = answer(BELIEFS, (BeliefView(NOW, NOW, "meter", math.nan),)).body
    assert json.loads(bytes(body)) == [
        {
            "event_start": "2026-04-21T00:00:00Z",
            "belief_time": "2026-04-21T00:00:00Z",
            "source": "meter",
            "value": None,
        }
    ]


def test_failures_are_a_status_and_a_sentence() -> None:
    response = failure(404, "There is no such thing.")
    assert response.status_code == 404
    assert json.loads(bytes(response.body)) == {"message": "There is no such thing."}


def test_request_errors_keep_their_status() -> None:
    response = asyncio.run(request_error(REQUEST, RequestError(409, "taken")))
    assert (response.status_code, json.loads(bytes(response.body))) == (409, {"message": "taken"})
    response = asyncio.run(request_error(REQUEST, TooManyTries(8)))
    assert (response.status_code, response.headers["Retry-After"]) == (429, "8")


def test_routing_errors_are_json_too() -> None:
    response = asyncio.run(http_error(REQUEST, HTTPException(405, headers={"Allow": "GET"})))
    assert (response.status_code, response.headers["Allow"]) == (405, "GET")
    assert json.loads(bytes(response.body)) == {"message": "Method Not Allowed."}


@pytest.mark.parametrize("handler", [request_error, http_error])
def test_anything_else_is_passed_on(handler: type) -> None:
    with pytest.raises(KeyError):
        asyncio.run(handler(REQUEST, KeyError("x")))
