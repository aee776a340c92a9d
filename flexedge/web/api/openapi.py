"""The document that describes the API to programs: OpenAPI 3.1, made of the table of operations."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from flexedge import __version__
from flexedge.web.api.op import Json, Op, Sent
from flexedge.wire.problem import Failed, Problem

PROBLEMS: Final[dict[int, str]] = {
    400: "The body is not JSON or a form, or what was asked for is not known.",
    401: "There is no token or session, or none that is good (any more).",
    403: "The caller may not do this, or the token lacks the scope.",
    404: "There is no such thing.",
    413: "The body is larger than this operation takes.",
    415: "The body has another content type or encoding than this operation takes.",
    422: "Fields, or the number in the path, are wrong; the message names them.",
    429: "Asked too often; Retry-After says in how many seconds to come back.",
    500: "Something broke; the log of the gateway says what.",
    503: "The data store cannot be used at the moment, or this took too long.",
}
_INTRODUCTION: Final = """\
FlexMeasures' API v3_0 on the gateway: what is written for FlexMeasures works here unchanged, on
site and without a network. Get a token with `POST /api/requestAuthToken` and send it as
`Authorization: <token>`, with or without `Bearer` before it. A browser that is logged in to the
gateway's page may use its session instead; requests that change something must then come from
that page. Answers to GET have an `ETag`; send it back as `If-None-Match` to hear only of changes
(304)."""
_TAGS: Final = ("Public", "Auth", "Accounts", "Users", "Assets", "Sensors", "Schedules")
"""The first of the chapters; the others follow as they come."""
_REF: Final = "#/components/schemas/"
_PARAMETER: Final = re.compile(r"{(\w+)}")
_Key = tuple[str, int]
_FORMS: Final = {"json": "application/json", "files": "multipart/form-data"}


def document(ops: Sequence[Op]) -> Json:
    """The whole document."""
    return _Document(ops).whole()


class _Document:
    def __init__(self, ops: Sequence[Op]) -> None:
        self._ops = ops
        self._schemas, self._defs = _all_schemas(ops)

    def whole(self) -> Json:
        """All of it; of the schemas those that something refers to."""
        paths: Json = {}
        for number, op in enumerate(self._ops):
            paths.setdefault(op.path, {})[op.method.lower()] = self._operation(number, op)
        told = {
            "openapi": "3.1.0",
            "info": {
                "title": "flexedge", "version": __version__, "description": _INTRODUCTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "tags": [{"name": name} for name in _chapters(self._ops)],
            "paths": paths,
        }  # fmt: skip
        parts = {
            "responses": {f"Problem{status}": _problem(status) for status in PROBLEMS},
            "securitySchemes": _SECURITY,
        }
        used = _used({"": [told, parts]}, self._defs)
        return told | {
            "components": {"schemas": {name: self._defs[name] for name in sorted(used)}, **parts}
        }

    def _operation(self, number: int, op: Op) -> Json:
        told: Json = {
            "operationId": operation_id(op),
            "summary": op.summary,
            "description": _description(op),
            "tags": [op.tag],
            "parameters": [*_path_parameters(op), *self._query_parameters(number, op)],
            "responses": self._responses(number, op),
            "security": [] if op.who == "anybody" else [{name: []} for name in _SECURITY],
        }
        if op.body is not None or op.body_is == "files":
            told["requestBody"] = self._body(number, op)
        if op.deprecated:
            told["deprecated"] = True
        return {name: value for name, value in told.items() if value or name == "security"}

    def _query_parameters(self, number: int, op: Op) -> Iterator[Json]:
        if op.query is None:
            return
        model = self._resolved(self._schemas["query", number])
        for name, schema in model.get("properties", {}).items():
            told = {
                "name": name, "in": "query", "required": name in model.get("required", ()),
                "description": schema.get("description", ""), "schema": _as_text(schema),
            }  # fmt: skip
            yield {key: one for key, one in told.items() if one not in ("", False)}

    def _body(self, number: int, op: Op) -> Json:
        model: Json = {"type": "object"}
        if op.body is not None:
            model = self._schemas["body", number]
        if op.body_is == "files":
            fields = self._resolved(model)
            named = {"type": "array", "items": {"type": "string", "format": "binary"}}
            properties = {"uploaded-files": named, **fields.get("properties", {})}
            model = {"type": "object", "properties": properties, "required": ["uploaded-files"]}
        media = _FORMS.get(op.body_is, "application/x-www-form-urlencoded")
        required = bool(self._resolved(model).get("required"))
        size = f"At most {op.most_bytes} bytes."
        return {"required": required, "description": size, "content": {media: {"schema": model}}}

    def _responses(self, number: int, op: Op) -> Json:
        told: Json = {}
        for status, kind in op.answers.items():
            if status >= 400 and kind is None:  # noqa: PLR2004 - refusals
                told[str(status)] = _problem(status)
                continue
            told[str(status)] = {"description": _MEANINGS.get(status, "Done.")}
            if kind is not None:
                media = kind.media_type if isinstance(kind, Sent) else "application/json"
                schema = self._schemas[f"answer {status}", number]
                if status in PROBLEMS and not isinstance(kind, Sent):
                    schema = {"anyOf": [schema, {"$ref": _REF + Problem.__name__}]}
                told[str(status)]["content"] = {media: {"schema": schema}}
        if op.method == "GET" and 200 in op.answers:  # noqa: PLR2004
            told["304"] = {"description": "What If-None-Match names is still so."}
        for status in _refusals(op):
            told.setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
        return dict(sorted(told.items()))

    def _resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self._defs[schema["$ref"].removeprefix(_REF)]
        return schema


def operation_id(op: Op) -> str:
    """A name for an operation that stays the same as long as its path does."""
    path = op.path.removeprefix("/api/v3_0").removeprefix("/api").strip("/")
    words = _PARAMETER.sub(r"by_\1", path).replace("/", "_").replace(".", "_").replace("-", "_")
    return f"{op.method.lower()}_{words or ('root' if 'v3' in op.path else 'versions')}"


def _all_schemas(ops: Sequence[Op]) -> tuple[dict[_Key, Json], dict[str, Json]]:
    """The schemas of all queries, bodies and answers, and what they refer to."""
    asked = {
        (place, number): kind
        for number, op in enumerate(ops)
        for place, kind in (("query", op.query), ("body", op.body))
    }
    told = {
        (f"answer {status}", number): kind.schema if isinstance(kind, Sent) else kind
        for number, op in enumerate(ops)
        for status, kind in op.answers.items()
    } | {(kind.__name__, 0): kind for kind in (Problem, Failed)}
    modes: tuple[tuple[JsonSchemaMode, dict[_Key, Any]], ...] = (
        ("validation", asked), ("serialization", told)
    )  # fmt: skip
    found, more = TypeAdapter.json_schemas(
        [
            (key, mode, TypeAdapter(kind))
            for mode, kinds in modes
            for key, kind in kinds.items()
            if kind is not None
        ],
        ref_template=_REF + "{model}",
    )
    return {key: schema for (key, _), schema in found.items()}, more.get("$defs", {})


def _chapters(ops: Sequence[Op]) -> list[str]:
    there = dict.fromkeys(op.tag for op in ops)
    return [name for name in _TAGS if name in there] + [name for name in there if name not in _TAGS]


def _description(op: Op) -> str:
    needs = []
    if op.who not in ("anybody", "somebody"):
        needs.append(f"For callers with the role `{op.who}`.")
    if op.who != "anybody":
        needs.append(f"Scope: `{op.scope}`.")
    if op.on is not None:
        needs.append(f"Permission on the {op.on.kind}: `{op.on.permission}`.")
    if op.triggers:
        needs.append("Counts as a trigger.")
    return "\n\n".join(one for one in (op.description, " ".join(needs)) if one)


def _as_text(schema: Json) -> Json:
    """The schema of a field in an address, where null cannot be written."""
    told = {key: one for key, one in schema.items() if key not in ("title", "description")}
    choices = [one for one in told.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) < len(told.get("anyOf", ())):
        del told["anyOf"]
        told |= choices[0] if len(choices) == 1 else {"anyOf": choices}
    if told.get("default", ...) is None:
        del told["default"]
    return told


def _path_parameters(op: Op) -> Iterator[Json]:
    for name in _PARAMETER.findall(op.path):
        schema: Json = {"type": "string"}
        told = {"name": name, "in": "path", "required": True, "schema": schema}
        if op.on is not None and op.on.parameter == name:
            schema |= {"type": "integer", "minimum": 0}
            told["description"] = f"The number of the {op.on.kind}."
        yield told


def _refusals(op: Op) -> Iterator[int]:
    """What an operation may answer beside what it says itself."""
    carries = op.body is not None or op.body_is == "files"
    for status in PROBLEMS:
        if status == 401 and op.who == "anybody" and not carries:  # noqa: PLR2004 - a log-in
            continue
        if status in (413, 415) and not carries:
            continue
        yield status


def _problem(status: int) -> Json:
    model = Failed if status == 500 else Problem  # noqa: PLR2004
    told: Json = {
        "description": PROBLEMS.get(status, "This cannot be done now; the message says why."),
        "content": {"application/json": {"schema": {"$ref": _REF + model.__name__}}},
    }
    if status == 429:  # noqa: PLR2004
        wait = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
        told["headers"] = {"Retry-After": wait}
    return told


def _used(roots: Json, schemas: dict[str, Json]) -> set[str]:
    """The names of the schemas that something refers to."""
    found: set[str] = set()
    waiting: list[Any] = list(roots.values())
    while waiting:
        match waiting.pop():
            case dict() as one:
                name = str(one.get("$ref", "")).removeprefix(_REF)
                if name in schemas and name not in found:
                    found.add(name)
                    waiting.append(schemas[name])
                waiting.extend(one.values())
            case list() as many:
                waiting.extend(many)
    return found


_MEANINGS: Final = {
    200: "Done.", 201: "Made.", 202: "Accepted, or still being worked on.", 204: "Done; no body.",
}  # fmt: skip
_SECURITY: Final[Json] = {
    "token": {
        "type": "apiKey", "in": "header", "name": "Authorization",
        "description": "A token or a key, as it is.",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "The same after `Bearer`."},
}  # fmt: skip
