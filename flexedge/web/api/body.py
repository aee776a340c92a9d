"""What a request carries: read no further than allowed, and understood as JSON or a form."""

from collections.abc import AsyncGenerator
from typing import Any, Final, NoReturn

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from flexedge.web.api.op import File, Rejected, invalid
from flexedge.wire.shape import demand_text, json_of

MOST_FIELDS: Final = 50
MOST_FILES: Final = 10
_URLENCODED: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
_UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii"})


async def read(request: Request, most: int) -> bytes:
    """All of the body. Raises ``Rejected`` 413, without reading on, when that is too much."""
    told = request.headers.get("content-length", "0")
    pieces, size = [], 0
    if told.isdecimal() and int(told) > most:
        _too_large(most)
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            _too_large(most)
        pieces.append(piece)
    return b"".join(pieces)


def demand_type(headers: Headers, *kinds: str) -> None:
    """Refuse a body that is not of one of these types, or encoded (``Rejected`` 415)."""
    kind, _, more = headers.get("content-type", "").partition(";")
    kind, charset = kind.strip().lower(), _charset(more)
    encoding = headers.get("content-encoding", "identity").lower()
    if kind not in kinds and not ("application/json" in kinds and kind.endswith("+json")):
        raise Rejected(415, "UNSUPPORTED_MEDIA_TYPE", f"Send it with the content type {kinds[0]}.")
    if encoding != "identity":
        raise Rejected(415, "UNSUPPORTED_MEDIA_TYPE", f"Send it plain, not encoded as {encoding}.")
    if charset not in _UTF8:
        raise Rejected(415, "UNSUPPORTED_MEDIA_TYPE", "Send text in UTF-8.")


def json_in(headers: Headers, body: bytes, place: str) -> Any:
    """The body's JSON; an empty object where it is empty.

    Raises ``Rejected``: 415 for another content type or encoding, 400 for what is not JSON.
    """
    if not body:
        return {}
    demand_type(headers, "application/json")
    try:
        return json_of(body.decode())
    except UnicodeDecodeError:
        raise Rejected(400, "INVALID_REQUEST", "The body is not text in UTF-8.") from None
    except ValueError as error:
        raise Rejected(400, "INVALID_REQUEST", {place or "json": [str(error)]}) from None


async def form_in(
    headers: Headers, body: bytes, *, files: bool
) -> tuple[dict[str, str], tuple[File, ...]]:
    """The fields and files of a form; all stays in memory.

    Raises ``Rejected``: 415 for another content type, 400 for what is no form or has too many
    parts.
    """
    kinds = (_MULTIPART,) if files else (_URLENCODED, _MULTIPART)
    if not body:
        return {}, ()
    demand_type(headers, *kinds)
    parser: FormParser | MultiPartParser
    if headers["content-type"].lower().startswith(_MULTIPART):
        parser = MultiPartParser(
            headers, _once(body), max_files=MOST_FILES if files else 0, max_fields=MOST_FIELDS
        )
        parser.spool_max_size = len(body) + 1  # never on the disk
    else:
        parser = FormParser(headers, _once(body), max_fields=MOST_FIELDS)
    fields, found = {}, []
    try:
        form = await parser.parse()
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                found.append(File(value.filename or "", await value.read()))
            else:
                fields[name] = value
        await form.close()
    except MultiPartException as error:
        raise Rejected(400, "INVALID_REQUEST", f"This is no form: {error.message}") from None
    demand_texts(fields, "form")
    return fields, tuple(found)


def demand_texts(fields: dict[str, Any], place: str) -> None:
    """Refuse fields with text that cannot be kept (``Rejected`` 422)."""
    for name, value in fields.items():
        for text in (name, *(value if isinstance(value, list) else [value])):
            try:
                demand_text(text)
            except ValueError as error:
                invalid({name: [str(error)]}, place)


def _charset(parameters: str) -> str:
    for one in parameters.split(";"):
        name, _, value = one.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


def _too_large(most: int) -> NoReturn:
    raise Rejected(413, "PAYLOAD_TOO_LARGE", f"Send at most {most} bytes.")


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
