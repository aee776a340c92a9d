"""Values and failures as JSON answers."""

from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flexedge.errors import RequestError, TooManyTries
from flexedge.gateway.view import BeliefView, Chart, DeviceView, Status, Totals

STATUS = TypeAdapter(Status)
CHART = TypeAdapter(Chart)
DEVICES = TypeAdapter(tuple[DeviceView, ...])
BELIEFS = TypeAdapter(tuple[BeliefView, ...])
TOTALS = TypeAdapter(Totals)


def answer(adapter: TypeAdapter[Any], value: object) -> Response:
    """A value of the view as JSON; NaN becomes null."""
    return Response(adapter.dump_json(value), media_type="application/json")


def failure(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """What went wrong, in one sentence."""
    return JSONResponse({"message": message}, status, headers)


async def request_error(_request: Request, error: Exception) -> Response:
    """The answer to a ``RequestError``."""
    if isinstance(error, TooManyTries):
        return failure(error.status, error.message, {"Retry-After": str(error.retry_after_s)})
    if isinstance(error, RequestError):
        return failure(error.status, error.message)
    raise error


async def http_error(_request: Request, error: Exception) -> Response:
    """The answer where routing found nothing, or not this method."""
    if isinstance(error, HTTPException):
        headers = None if error.headers is None else dict(error.headers)
        return failure(error.status_code, HTTPStatus(error.status_code).phrase + ".", headers)
    raise error
