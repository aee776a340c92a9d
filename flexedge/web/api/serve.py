"""The operations as routes: who calls, how often, on what object, with what; then the answer."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from flexedge.domain.rights import TASK_RUNNER, Caller, Thing
from flexedge.errors import BadField, RequestError, StoreError
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api import body, tags
from flexedge.web.api.op import Call, File, On, Op, Rejected, Reply, forbidden, invalid
from flexedge.web.api.parts import Parts
from flexedge.web.api.problems import UNAUTHENTICATED, VERSIONS, of_error, problem, wrong_fields
from flexedge.web.api.query import Asked
from flexedge.web.guard import same_origin
from flexedge.web.routes import session_token

UNCOUNTED: Final = "/api/v3_0/health"
"""Under this path requests are not counted."""
SUNSET: Final = ("v1", "v1_1", "v1_2", "v1_3", "v2_0")
_LARGEST: Final = 2**63 - 1
_NOT_FOUND: Final = {
    "asset": "No asset found with ID {}.", "sensor": "No sensor found with ID {}.",
    "account": "No account found with id {}.", "user": "No user found with id {}.",
}  # fmt: skip


class Doorkeeper(Protocol):
    """Who knows people; ``web.auth.Access`` does."""

    def caller(self, authorization: str | None, session: str | None) -> Caller:
        """Who shows this header "Authorization" or, without one, this session.

        The header is a token, with or without "Bearer" before it. ``NOBODY`` for what is not valid,
        or no longer.
        """


class Limits(Protocol):
    """How often somebody may ask. Raises ``Rejected`` 429 with "Retry-After"."""

    def count(self, caller: Caller, address: str, now: datetime) -> None:
        """Count a request, of a user or, for nobody, of an address; refuse one too many."""

    def check_trigger(self, caller: Caller, asset_id: int | None, now: datetime) -> None:
        """Refuse a trigger where those of late were too many."""

    def count_trigger(self, caller: Caller, asset_id: int | None, now: datetime) -> None:
        """Count a trigger that was accepted."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What stands between the network and the operations."""

    parts: Parts
    door: Doorkeeper
    limits: Limits


@dataclass(frozen=True, slots=True)
class _Carried:
    """What a request carries beside its address."""

    raw: bytes = b""
    form: Mapping[str, str] | None = None
    files: tuple[File, ...] = ()


class Place:
    """All that can be asked at one path (an ASGI application)."""

    def __init__(self, ops: Iterable[Op], gate: Gate) -> None:
        self._served: dict[str, _Served] = {op.method: _Served(op, gate) for op in ops}
        if "GET" in self._served:
            self._served["HEAD"] = self._served["GET"]
        self._allow = ", ".join(sorted({*self._served, "OPTIONS"}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        served = self._served.get(scope["method"])
        if served is not None:
            response = await served.answer(Request(scope, receive))
        elif scope["method"] == "OPTIONS":
            response = Response(None, 204, {"Allow": self._allow})
        else:
            told = f"Request method {scope['method']} not supported here; {self._allow} are."
            response = problem(405, told, headers={"Allow": self._allow})
        await versioned(response, scope["path"])(scope, receive, send)


class _Served:
    """One operation, served."""

    def __init__(self, op: Op, gate: Gate) -> None:
        self._op = op
        self._gate = gate
        self._query = None if op.query is None else Asked(op.query)
        self._body: TypeAdapter[Any] | None = None if op.body is None else TypeAdapter(op.body)
        self._query_place = "query" if op.place == "json" else op.place
        self._carries = op.body is not None or op.body_is == "files"
        state = gate.parts.state
        self._get: Mapping[str, Callable[[int], Any]] = {
            "asset": state.assets.get, "sensor": state.placed.get, "account": state.accounts.get,
            "user": lambda number: state.users.all().get(number),
        }  # fmt: skip

    async def answer(self, request: Request) -> Response:
        """The answer to a request, also to one that is refused."""
        try:
            if not self._carries:
                return await run_in_threadpool(self._whole, request)
            caller = await run_in_threadpool(self._admitted, request)
            carried = await self._carried(request)
            return await run_in_threadpool(self._done, request, caller, carried)
        except (RequestError, BadField, StoreError) as error:
            return of_error(error, self._op.place)

    def _whole(self, request: Request) -> Response:
        return self._done(request, self._admitted(request), _Carried())

    def _admitted(self, request: Request) -> Caller:
        """Who calls, if they may ask this at all and not too often."""
        op, headers = self._op, request.headers
        token, session = headers.get("authorization"), session_token(request)
        caller = self._gate.door.caller(token, session)
        if not request.url.path.startswith(UNCOUNTED):
            self._gate.limits.count(caller, _address(request), self._gate.parts.now())
        if op.who == "anybody":
            return caller
        if not caller.known:
            raise Rejected(401, "UNAUTHORIZED", UNAUTHENTICATED)
        if token is None and op.method != "GET" and not same_origin(headers):
            forbidden("This request did not come from the gateway's own page.")
        if op.scope not in caller.scopes:
            forbidden(f"This token is not made for that: it lacks the scope {op.scope!r}.")
        admin = caller.is_admin or (op.method == "GET" and caller.sees_all)
        if op.who == "admin" and not admin:
            forbidden("You cannot be authorized for this content or functionality.")
        if op.who == "task-runner" and not (caller.is_admin or TASK_RUNNER in caller.roles):
            forbidden("You cannot be authorized for this content or functionality.")
        return caller

    async def _carried(self, request: Request) -> _Carried:
        raw = await body.read(request, self._op.most_bytes)
        if self._op.body_is == "json":
            return _Carried(raw)
        many = self._op.body_is == "files"
        form, files = await body.form_in(request.headers, raw, files=many)
        return _Carried(form=form, files=files)

    def _done(self, request: Request, caller: Caller, carried: _Carried) -> Response:
        op, now = self._op, self._gate.parts.now()
        path: dict[str, str] = request.path_params
        number, found = (0, None) if op.on is None else self._found(op.on, path, caller)
        asset_id = _asset_of(number, found)
        if op.triggers:
            self._gate.limits.check_trigger(caller, asset_id, now)
        query = self._asked(request.query_params)
        said = self._said(request.headers, carried)
        call = Call(
            caller, now, path, query, said, request.headers, _address(request), number, found,
            carried.files,
        )  # fmt: skip
        reply = op.run(call)
        if reply.stream is not None:
            return self._streamed(reply, request, caller)
        if op.triggers and reply.status < 400:  # noqa: PLR2004 - accepted
            self._gate.limits.count_trigger(caller, asset_id, now)
        return response_to(reply, op, request.headers)

    def _streamed(self, reply: Reply, request: Request, caller: Caller) -> Response:
        """A reply that comes about piece by piece, while the caller would still be let in."""
        token, session = request.headers.get("authorization"), session_token(request)

        async def welcome() -> bool:
            return await run_in_threadpool(self._gate.door.caller, token, session) == caller

        pieces = () if reply.stream is None else reply.stream(welcome)
        return StreamingResponse(pieces, reply.status, reply.headers, reply.media_type)

    def _found(self, on: On, path: Mapping[str, str], caller: Caller) -> tuple[int, Any]:
        text = path[on.parameter]
        if not (text.isascii() and text.isdecimal()):
            invalid({on.parameter: ["Not a valid integer."]}, "path")
        number = int(text[:30])
        found = self._get[on.kind](number) if number <= _LARGEST else None
        if found is None:
            invalid({on.parameter: [_NOT_FOUND[on.kind].format(number)]}, "path")
        self._gate.parts.demand(caller, on.permission, self._thing(on, number, found))
        return number, found

    def _thing(self, on: On, number: int, found: Any) -> Thing:
        parts = self._gate.parts
        return parts.account(number) if on.kind == "account" else parts.thing(found, number)

    def _asked(self, query: QueryParams) -> Any:
        if self._query is None:
            return None
        given = self._query.given(query)
        body.demand_texts(given, self._query_place)
        try:
            return self._query.read(given)
        except ValidationError as error:
            invalid(wrong_fields(error, given), self._query_place)

    def _said(self, headers: Headers, carried: _Carried) -> Any:
        if self._body is None:
            return None
        place = self._op.place
        given = carried.form
        if given is None:
            given = body.json_in(headers, carried.raw, place)
        try:
            return self._body.validate_python(given)
        except ValidationError as error:
            invalid(wrong_fields(error, given), place)


def routes(ops: Iterable[Op], gate: Gate) -> list[Route]:
    """All operations as routes, and those of FlexMeasures' past versions as gone."""
    places: dict[str, list[Op]] = defaultdict(list)
    for op in ops:
        places[op.path].append(op)
    made = [Route(path, Place(places[path], gate)) for path in sorted(places, key=_named_first)]
    return [
        *made,
        *(Route(f"/api/{old}{rest}", _Gone()) for old in SUNSET for rest in ("", "/{rest:path}")),
    ]


def response_to(reply: Reply, op: Op, headers: Headers) -> Response:
    """A reply as a response; 304 where the caller has the same already."""
    content = reply.body
    if content is not None:
        content = tags.content_of(content)
    told = dict(reply.headers)
    if op.deprecated:
        told.setdefault("Deprecation", "true")
    if op.method == "GET" and reply.status == 200 and content is not None:  # noqa: PLR2004
        tag = tags.tag_of(content)
        told = {"ETag": tag, "Cache-Control": "private, no-cache"} | told
        if tags.has(headers.get("if-none-match", ""), tag):
            return Response(None, 304, told)
    return Response(content, reply.status, told, reply.media_type)  # FlexMeasures: of none, too


class _Gone:
    """Refuses what belongs to a version of the API that FlexMeasures has ended."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = "This version of the API has been sunset; use /api/v3_0."
        await versioned(problem(410, told), scope["path"])(scope, receive, send)


def versioned(response: Response, path: str) -> Response:
    """The response, saying which FlexMeasures it speaks, and what does."""
    response.headers["Served-By"] = "flexedge"
    response.headers["FlexMeasures-Version"] = VERSIONS["FlexMeasures-Version"]
    if path.startswith("/api/v3_0"):
        response.headers["API-Version"] = VERSIONS["API-Version"]
    return response


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host


def _asset_of(number: int, found: Any) -> int | None:
    match found:
        case Asset():
            return number
        case PlacedSensor():
            return found.asset_id
    return None


def _named_first(path: str) -> list[tuple[bool, str]]:
    """Orders paths so that one with a name in a place comes before one with a parameter there."""
    return [("{" in part, part) for part in path.split("/")]
