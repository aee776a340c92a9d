"""Plain values to models, with every problem in installers' words and at its place."""

import difflib
import json
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from flexedge.config.load import Document, Route
from flexedge.errors import ConfigError, Problem

_M = TypeVar("_M", bound=BaseModel)
_LONGEST = 40
_FEW = 12
_ZERO = {"datetime.timedelta(0)": "0s"}  # how pydantic writes a bound that is no number


def validate(
    document: Document, model: type[_M], *, under: str | None = None, strict: bool = True
) -> _M:
    """Make a model of a document. Raises ``ConfigError`` with every problem at once.

    ``under`` puts the document under one key of the model. ``strict`` refuses numbers in quotes
    and the like; leave it off where values come from environment variables.
    """
    data = document.data if under is None else {under: document.data}
    try:
        return model.model_validate_json(
            json.dumps(data, default=str), strict=strict, by_alias=True, by_name=False
        )
    except ValidationError as error:
        details = error.errors(include_url=False)
    raise ConfigError(_problems(document, model, under, details)) from None


def remedy(word: str, known: Iterable[str]) -> str:
    """What the installer may have meant: the nearest known word, or all of them if few."""
    choice = sorted(known)
    close = nearest(word, choice)
    if close is not None:
        return f"; did you mean '{close}'?"
    if not choice:
        return "; there are none"
    if len(choice) <= _FEW:
        return "; known: " + ", ".join(choice)
    return ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like this one, if any does."""
    choice = list(known)
    folded = word.lower().replace("_", "-").replace(" ", "-")
    if folded in choice:
        return folded
    return next(iter(difflib.get_close_matches(folded, choice, n=1)), None)


def _without_twins(
    model: type[BaseModel], details: Iterable[ErrorDetails]
) -> Iterable[ErrorDetails]:
    """Leave out "missing" where an unknown key is that very key misspelt: one typo, one line."""
    details = list(details)
    meant = {
        (*detail["loc"][:-1], nearest(str(detail["loc"][-1]), _Spot.of(model, detail["loc"]).keys))
        for detail in details
        if detail["type"] == "extra_forbidden"
    }
    return [d for d in details if d["type"] != "missing" or d["loc"] not in meant]


def _problems(
    document: Document,
    model: type[BaseModel],
    under: str | None,
    details: Iterable[ErrorDetails],
) -> list[Problem]:
    found: dict[tuple[Route, bool], list[str]] = {}
    for detail in _without_twins(model, details):
        spot = _Spot.of(model, detail["loc"])
        route = spot.route if under is None else spot.route[1:]
        at_key = spot.at_key or detail["type"] in ("extra_forbidden", "missing")
        message = _message(detail, spot)
        messages = found.setdefault((route, at_key), [])
        if message not in messages:
            messages.append(message)
    problems = [
        document.problem(route, _joined(messages), at_key=at_key)
        for (route, at_key), messages in found.items()
    ]
    return sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))


def _joined(messages: list[str]) -> str:
    """The alternatives of a union as one sentence."""
    first, *rest = messages
    start = "should be "
    if rest and all(message.startswith(start) for message in messages):
        head, _, tail = first.partition(", not")
        kinds = [head, *(message.removeprefix(start).partition(", not")[0] for message in rest)]
        return " or ".join(kinds) + (f", not{tail}" if tail else "")
    return "; ".join(messages)


class _Spot:
    """Where in the file, and in which model, pydantic found something.

    pydantic's locations also name the alternatives of unions, which no file contains; walking
    the model along tells which parts are keys.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        self.route: Route = ()
        self.shape: Any = model
        self.at_key = False
        self.parent: type[BaseModel] | None = None

    @classmethod
    def of(cls, model: type[BaseModel], location: Route) -> "_Spot":
        spot = cls(model)
        for step in location:
            spot.go(step)
        return spot

    def go(self, step: str | int) -> None:
        shape, members = _bare(self.shape)
        if step == "[key]":
            self.at_key = True
        elif members:
            self.shape = members.get(str(step))
        elif isinstance(shape, type) and issubclass(shape, BaseModel):
            self.route = (*self.route, step)
            self.shape = _fields(shape).get(str(step))
            self.parent = shape
        elif get_origin(shape) is dict:
            self.route = (*self.route, str(step))
            self.shape = get_args(shape)[1]
        elif get_origin(shape) in (tuple, list):
            self.route = (*self.route, step)
            inner = [part for part in get_args(shape) if part is not ...]
            self.shape = inner[min(int(step), len(inner) - 1)]

    @property
    def keys(self) -> list[str]:
        """The keys that are known where the last key stands."""
        return [] if self.parent is None else list(_fields(self.parent))


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _bare(shape: Any) -> tuple[Any, Mapping[str, Any]]:
    """A type without its annotations and without None; the members of a union by their labels."""
    while get_origin(shape) is Annotated:
        shape = get_args(shape)[0]
    if get_origin(shape) not in (Union, types.UnionType):
        return shape, {}
    members = [member for member in get_args(shape) if member is not types.NoneType]
    if len(members) == 1:
        return _bare(members[0])
    return shape, {_label(member): member for member in members}


def _label(member: Any) -> str:
    tags = (part.tag for part in get_args(member)[1:] if isinstance(part, Tag))
    return next(tags, getattr(member, "__name__", str(member)))


def _shown(value: Any) -> str:
    """A value as it would be written in YAML, cut short."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    text = f"'{value}'" if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _message(detail: ErrorDetails, spot: _Spot) -> str:
    explain = _EXPLAIN.get(detail["type"])
    if explain is not None:
        return explain(detail, spot)
    text = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{text}, not {_shown(detail['input'])}" if text.startswith("should") else text


def _should_be(what: str) -> Callable[[ErrorDetails, _Spot], str]:
    def explain(detail: ErrorDetails, _spot: _Spot) -> str:
        value = detail["input"]
        hint = ": write it without quotes" if _is_quoted(what, value) else ""
        return f"should be {what}, not {_shown(value)}{hint}"

    return explain


def _is_quoted(what: str, value: Any) -> bool:
    return "number" in what and isinstance(value, str) and value.strip("+-").isdecimal()


def _missing(detail: ErrorDetails, _spot: _Spot) -> str:
    last = detail["loc"][-1]
    if isinstance(last, int):
        return f"the list is too short: entry {last + 1} is missing"
    return f"missing key '{last}'; add it"


def _unknown(detail: ErrorDetails, spot: _Spot) -> str:
    key = str(detail["loc"][-1])
    return f"unknown key '{key}'" + remedy(key, spot.keys)


def _text(detail: ErrorDetails, _spot: _Spot) -> str:
    value = detail["input"]
    hint = ": put it in quotes" if isinstance(value, int | float) else ""
    return f"should be text, not {_shown(value)}{hint}"


def _literal(detail: ErrorDetails, _spot: _Spot) -> str:
    expected = detail["ctx"]["expected"].replace(" or ", ", ")
    words = [word.strip("'") for word in expected.split(", ")]
    value = detail["input"]
    hint = remedy(value, words) if isinstance(value, str) else "; known: " + ", ".join(words)
    return f"{_shown(value)} is not known here{hint}"


def _pattern(detail: ErrorDetails, _spot: _Spot) -> str:
    shape = (
        "role.quantity, such as battery.power"
        if r"\." in detail["ctx"]["pattern"]
        else "lower-case letters, digits and dashes, beginning with a letter"
    )
    return f"{_shown(detail['input'])} is no name for this; write {shape}"


def _bound(words: str, key: str) -> Callable[[ErrorDetails, _Spot], str]:
    def explain(detail: ErrorDetails, _spot: _Spot) -> str:
        bound = detail["ctx"][key]
        text = f"{bound:g}" if isinstance(bound, int | float) else _ZERO.get(str(bound), str(bound))
        return f"should be {words} {text}, not {_shown(detail['input'])}"

    return explain


def _length(detail: ErrorDetails, _spot: _Spot) -> str:
    context = detail["ctx"]
    if context["actual_length"] == 0:
        return "should not be empty"
    words = ("at least", "min_length") if "min_length" in context else ("at most", "max_length")
    return f"should have {words[0]} {context[words[1]]} entries, not {context['actual_length']}"


_INTEGER = _should_be("a whole number")
_NUMBER = _should_be("a number")
_BOOLEAN = _should_be("true or false")
_LIST = _should_be("a list")


def _mapping(detail: ErrorDetails, spot: _Spot) -> str:
    known = _fields(spot.shape) if isinstance(spot.shape, type) else {}
    keys = f" with the keys {', '.join(list(known)[:4])}" if known else ""
    return f"should be a mapping{keys}, not {_shown(detail['input'])}"


_EXPLAIN: dict[str, Callable[[ErrorDetails, _Spot], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "string_type": _text,
    "path_type": _text,
    "int_type": _INTEGER,
    "int_parsing": _INTEGER,
    "int_from_float": _INTEGER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "model_type": _mapping,
    "dict_type": _mapping,
    "literal_error": _literal,
    "string_pattern_mismatch": _pattern,
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "too_short": _length,
    "too_long": _length,
}
