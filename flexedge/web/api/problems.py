"""What went wrong, as an answer in FlexMeasures' shape."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from pydantic import ValidationError
from pydantic.alias_generators import to_snake
from pydantic_core import ErrorDetails
from starlette.responses import JSONResponse

from flexedge.errors import BadField, RequestError, StoreError, StoreSlow, TooManyTries
from flexedge.web.api.op import Json, Rejected, placed

VERSIONS: Final = {"FlexMeasures-Version": "1.0.1", "API-Version": "v3_0"}
"""Of the FlexMeasures whose API this is: clients choose what to send by it."""
UNAUTHENTICATED: Final = (
    "You could not be properly authenticated for this content or functionality."
)
MOST_TOLD: Final = 50
"""Fields in one answer."""
CODES: Final[Mapping[int, str]] = {
    400: "INVALID_REQUEST", 401: "UNAUTHORIZED", 403: "INVALID_SENDER", 404: "NOT_FOUND",
    405: "INVALID_METHOD", 409: "CONFLICT", 410: "GONE", 413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE", 422: "UNPROCESSABLE_ENTITY", 429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR", 503: "SERVICE_UNAVAILABLE",
}  # fmt: skip
_NOT_A: Final[Mapping[str, str]] = {
    "int": "Not a valid integer.", "float": "Not a valid number.", "string": "Not a valid string.",
    "bool": "Not a valid boolean.", "list": "Not a valid list.", "tuple": "Not a valid list.",
    "set": "Not a valid list.", "dict": "Not a valid mapping type.",
    "mapping": "Not a valid mapping type.", "model": "Invalid input type.",
    "uuid": "Not a valid UUID.", "datetime": "Not a valid aware datetime.",
    "timezone": "Not a valid aware datetime.", "time": "Not a valid duration.",
}  # fmt: skip
_TEXTS: Final[Mapping[str, str]] = {
    "missing": "Missing data for required field.",
    "extra_forbidden": "Unknown field.",
    "finite_number": "Special numeric values (nan or infinity) are not permitted.",
    "greater_than": "Must be greater than {gt}.",
    "greater_than_equal": "Must be greater than or equal to {ge}.",
    "less_than": "Must be less than {lt}.",
    "less_than_equal": "Must be less than or equal to {le}.",
    "string_too_short": "Shorter than minimum length {min_length}.",
    "string_too_long": "Longer than maximum length {max_length}.",
    "too_short": "Shorter than minimum length {min_length}.",
    "too_long": "Longer than maximum length {max_length}.",
    "string_pattern_mismatch": "String does not match expected pattern.",
    "literal_error": "Must be one of: {expected}.",
    "enum": "Must be one of: {expected}.",
    "value_error": "{error}",
    "assertion_error": "{error}",
}


def problem(
    status: int,
    message: str | Json,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An answer that refuses something."""
    told: Json = {"message": message, "status": code or CODES.get(status, HTTPStatus(status).name)}
    if status not in (401, 404):
        told = {"message": message, "result": "Rejected", "status": told["status"]}
    return JSONResponse(told, status, dict(headers or {}))


def of_error(error: Exception, place: str = "json") -> JSONResponse:
    """The answer to what a request ended with. Raises what was not raised on purpose."""
    match error:
        case Rejected():
            return problem(error.status, error.told, error.code, error.headers)
        case TooManyTries():
            wait = {"Retry-After": str(error.retry_after_s)}
            return problem(error.status, error.message, headers=wait)
        case RequestError():
            return problem(error.status, error.message)
        case BadField():
            return problem(422, placed({error.path: [error.message]}, place))
        case StoreSlow():
            return problem(503, f"This took too long: {error}. Ask for less.")
        case StoreError():
            return problem(503, "The data store cannot be used at the moment; the log says why.")
    raise error


def wrong_fields(error: ValidationError, given: Any) -> Json:
    """What pydantic found wrong with ``given``, as FlexMeasures says it.

    A tree of the keys that were given, with lists of sentences at its leaves. What is wrong with
    the whole is under "_schema".
    """
    told: Json = {}
    for one in error.errors(include_url=False)[:MOST_TOLD]:
        keys = _route(one, given) or ["_schema"]
        place = told
        for key in keys[:-1]:
            deeper = place.setdefault(key, {})
            if isinstance(deeper, list):  # something is wrong with the whole of it, too
                deeper = place[key] = {"_schema": deeper}
            place = deeper
        texts = place.setdefault(keys[-1], [])
        if isinstance(texts, dict):
            texts = texts.setdefault("_schema", [])
        if (text := sentence(one)) not in texts:
            texts.append(text)
    return told


def sentence(one: ErrorDetails) -> str:
    """One thing that is wrong, in a sentence."""
    kind = one["type"]
    if one.get("input", ...) is None and one["loc"] and kind.endswith("_type"):
        return "Field may not be null."
    if kind in _TEXTS:
        text = _TEXTS[kind].format_map(one.get("ctx", {}))
        return text if text.endswith((".", "…", "!")) else text + "."
    for suffix in ("_type", "_parsing", "_parsing_size", "_from_float", "_attributes_type"):
        if (found := _NOT_A.get(kind.removesuffix(suffix))) is not None:
            return found
    return one["msg"].rstrip(".") + "."


def _route(one: ErrorDetails, given: Any) -> list[str]:
    """The keys that were given on the way to an error; pydantic's names of choices left out."""
    route, value = [], given
    for number, key in enumerate(one["loc"], 1):
        last_of_missing = number == len(one["loc"]) and one["type"] == "missing"
        found, value = _step(value, key)
        if found is not None or last_of_missing:
            route.append(str(key if found is None else found))
    return route


def _step(value: Any, key: str | int) -> tuple[str | int | None, Any]:
    if isinstance(value, dict):
        for spelling in (key, to_snake(str(key)), str(key)):
            if spelling in value:
                return spelling, value[spelling]
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return key, value[key]
    return None, value
