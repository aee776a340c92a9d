"""The documentation of the API: the OpenAPI document, and the same as a page to read."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from flexedge.web.api.op import Call, Json, Op, Reply, Sent
from flexedge.web.api.openapi import document
from flexedge.web.api.public import ROOT
from flexedge.web.pages import rendered

PLACE: Final = f"{ROOT}/docs/"
FLEXMEASURES_PLACE: Final = "/ui/static/openapi-specs.json"
"""Where FlexMeasures has its document."""
_DEEPEST: Final = 4
_TAG: Final = "Public"


@dataclass(frozen=True, slots=True)
class Line:
    """One field or parameter, as it is read."""

    name: str
    kind: str
    about: str = ""
    required: bool = False
    place: str = ""
    inner: tuple["Line", ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered with one status."""

    status: str
    about: str
    kind: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation, as it is read."""

    name: str
    method: str
    path: str
    summary: str
    about: str
    deprecated: bool
    parameters: tuple[Line, ...]
    body: Answer | None
    answers: tuple[Answer, ...]
    refusals: tuple[str, ...] = field(default=())


def operations(others: Sequence[Op]) -> tuple[Op, ...]:
    """The operations of this module, which tell of ``others`` and of themselves."""

    @cache
    def told() -> Json:
        return document((*own, *others))

    @cache
    def text() -> bytes:
        return json.dumps(told(), separators=(",", ":")).encode()

    @cache
    def page() -> bytes:
        return rendered("api.html", told=told(), chapters=chapters(told())).encode()

    def answer(_call: Call[None, None]) -> Reply:
        return Reply(text())

    def read(_call: Call[None, None]) -> Reply:
        return Reply(page(), media_type="text/html; charset=utf-8")

    own = (
        Op(
            method="GET", path=PLACE, run=read, who="anybody", tag=_TAG,
            answers={200: Sent("text/html")}, summary="Read this documentation",
        ),
        Op(
            method="GET", path=f"{PLACE}openapi.json", run=answer, who="anybody", tag=_TAG,
            answers={200: dict[str, Any]}, summary="Get the OpenAPI document of this API",
        ),
        Op(
            method="GET", path=FLEXMEASURES_PLACE, run=answer, who="anybody", tag=_TAG,
            answers={200: dict[str, Any]}, summary="Get the same where FlexMeasures has it",
        ),
    )  # fmt: skip
    return own


def chapters(told: Json) -> dict[str, list[Entry]]:
    """The operations of an OpenAPI document by chapter."""
    found: dict[str, list[Entry]] = {tag["name"]: [] for tag in told["tags"]}
    for path, methods in told["paths"].items():
        for method, op in methods.items():
            found[op["tags"][0]].append(_entry(told, method, path, op))
    return found


def _entry(told: Json, method: str, path: str, op: Json) -> Entry:
    asked = op.get("requestBody")
    answers = {status: _resolved(told, one) for status, one in op["responses"].items()}
    return Entry(
        op["operationId"],
        method.upper(),
        path,
        op["summary"],
        op.get("description", ""),
        op.get("deprecated", False),
        tuple(_parameter(told, one) for one in op.get("parameters", ())),
        None if asked is None else _answer(told, "", asked),
        tuple(_answer(told, status, one) for status, one in answers.items() if status < "4"),
        tuple(f"{status} {one['description']}" for status, one in answers.items() if status >= "4"),
    )


def _parameter(told: Json, one: Json) -> Line:
    schema = one["schema"]
    required = one.get("required", False)
    about = one.get("description", "")
    return Line(one["name"], kind_of(told, schema), about, required, one["in"])


def _answer(told: Json, status: str, one: Json) -> Answer:
    for media, content in one.get("content", {}).items():
        schema = content["schema"]
        kind = f"{media}: {kind_of(told, schema)}"
        return Answer(status, one["description"], kind, tuple(_lines(told, schema)))
    return Answer(status, one["description"])


def _lines(told: Json, schema: Json, depth: int = 0) -> Iterator[Line]:
    """The fields of an object, or of the objects in a list."""
    if depth == _DEEPEST:
        return
    for one in _choices(told, schema):
        if "items" in one:
            yield from _lines(told, one["items"], depth)
        for name, inner in one.get("properties", {}).items():
            required = name in one.get("required", ())
            deeper = tuple(_lines(told, inner, depth + 1))
            about = _resolved(told, inner).get("description", "")
            about = inner.get("description", about)
            yield Line(name, kind_of(told, inner), about, required, inner=deeper)


def kind_of(told: Json, schema: Json) -> str:
    """What a schema is, in a few words."""
    kinds = [_kind(told, one) for one in _choices(told, schema)]
    text = " or ".join(dict.fromkeys(kinds))
    default = schema.get("default")
    return text if default is None else f"{text}, {json.dumps(default)} if not given"


def _kind(told: Json, schema: Json) -> str:
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(one) for one in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type", "anything")
    if kind == "array" and "items" in schema:
        return f"list of {kind_of(told, schema['items'])}"
    about = [schema["format"]] if "format" in schema else []
    about += [f"{name} {schema[key]}" for key, name in _BOUNDS.items() if key in schema]
    return f"{kind} ({', '.join(about)})" if about else str(kind)


def _choices(told: Json, schema: Json) -> Iterator[Json]:
    resolved = _resolved(told, schema)
    inner = resolved.get("anyOf") or resolved.get("oneOf")
    if inner is None:
        yield resolved
        return
    for one in inner:
        yield from _choices(told, one)


def _resolved(told: Json, schema: Json) -> Json:
    while "$ref" in schema:
        _, _, kind, name = schema["$ref"].split("/")
        schema = told["components"][kind][name]
    return schema


_BOUNDS: Final = {
    "minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most",
    "exclusiveMaximum": "below", "minLength": "length at least", "maxLength": "length at most",
    "minItems": "at least", "maxItems": "at most",
}  # fmt: skip
