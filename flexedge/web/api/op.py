"""One thing that can be asked of the API: what it takes, who may ask, what is answered."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, NoReturn, TypeVar

from starlette.datastructures import Headers

from flexedge.domain.rights import Caller, Permission, Scope
from flexedge.errors import RequestError

Method = Literal["GET", "POST", "PATCH", "DELETE", "PUT"]
Who = Literal["anybody", "somebody", "task-runner", "admin"]
"""Who gets in at all; what they may do with which object is for ``On`` and ``Parts.demand``."""
Json = dict[str, Any]
_FLAT = frozenset({"", "args_and_json"})
"""Places that messages about wrong fields do not name."""
Welcome = Callable[[], Awaitable[bool]]
"""Whether the caller would still be let in: whether token, session and user are still good."""
_Q = TypeVar("_Q")
_B = TypeVar("_B")


@dataclass(frozen=True, slots=True)
class On:
    """The object that the path names by a parameter, and what one must be allowed to do with it."""

    kind: Literal["asset", "sensor", "account", "user"]
    permission: Permission
    parameter: str = "id"


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Call(Generic[_Q, _B]):
    """One request, understood: who calls, and what they say."""

    caller: Caller
    now: datetime
    path: Mapping[str, str]
    query: _Q
    """An instance of the operation's ``query``."""
    body: _B
    """An instance of the operation's ``body``; None where it takes none."""
    headers: Headers
    address: str
    """Where the caller is."""
    number: int = 0
    """The number of the object that ``On`` names."""
    found: Any = None
    """That object: ``Asset``, ``PlacedSensor``, ``Account`` or ``User``."""
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. ``body`` is JSON, a pydantic value, ready bytes, or None for none."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    stream: Callable[[Welcome], AsyncIterator[bytes]] | None = None
    """Instead of ``body``: what is sent piece by piece, as it comes about. It runs in the server's
    event loop, must ask ``Welcome`` now and then, and ends when the server stops."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What is answered where that is not JSON: its type, and what it is (for the documentation)."""

    media_type: str
    schema: Any = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One line of the table of operations.

    ``run`` is called in a thread of its own, after the caller is known and let in, the rate is
    counted, query and body are understood and the object is found. It raises ``RequestError`` (or
    ``rejected``), ``BadField``, ``StoreError``.
    """

    method: Method
    path: str
    """From the root, with parameters in braces: "/api/v3_0/assets/{id}"."""
    run: Callable[[Call[Any, Any]], Reply]
    summary: str
    tag: str
    who: Who = "somebody"
    scope: Scope = "read"
    on: On | None = None
    query: type[Any] | None = None
    body: type[Any] | None = None
    body_is: Literal["json", "form", "files"] = "json"
    place: str = "json"
    """What FlexMeasures calls the place of body and query in its messages about wrong fields."""
    answers: Mapping[int, Any] = field(default_factory=dict)
    """What is answered, by status: a type (``Sent`` if not JSON), or None for no body (from 400 on:
    a refusal in words). Errors that any operation can answer (400, 401, 403, 404, 413, 415, 422,
    429, 500, 503) are documented by themselves."""
    most_bytes: int = 64 * 1024
    """Of the body."""
    triggers: bool = False
    """Whether it is counted as a trigger of an account."""
    deprecated: bool = False
    description: str = ""


class Rejected(RequestError):
    """Refused in FlexMeasures' words: ``code`` is its name for why."""

    def __init__(
        self, status: int, code: str, message: str | Json, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, message if isinstance(message, str) else code)
        self.code = code
        self.told = message
        self.headers = dict(headers or {})


def placed(fields: Json, place: str) -> Json:
    """What is wrong with fields, under the name of the place they are in, where it has one."""
    return fields if place in _FLAT else {place: fields}


def invalid(fields: Json, place: str = "json") -> NoReturn:
    """Refuse fields (422): ``fields`` maps their names to lists of what is wrong."""
    raise Rejected(422, "UNPROCESSABLE_ENTITY", placed(fields, place))


def forbidden(why: str) -> NoReturn:
    """Refuse a caller (403)."""
    raise Rejected(403, "INVALID_SENDER", why)
