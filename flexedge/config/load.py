"""YAML files to plain values, strictly, with the place of every one of them.

Stricter than YAML at large, because what looks like a number must be one and what does not must
not: ``true`` and ``false`` are the only booleans, ``on``, ``012``, ``12:30`` and dates stay text.
Duplicate keys, anchors, aliases, tags and merge keys are errors.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from flexedge.errors import ConfigError, Problem

MOST_BYTES = 1_000_000
MOST_DEPTH = 50

Route = tuple[str | int, ...]
"""The keys and list positions that lead to a value."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,29})|0x[0-9a-fA-F]{1,16}|0o[0-7]{1,21}")
_FLOAT = re.compile(r"[-+]?((0|[1-9][0-9]{0,29})(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,9})?")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INDENTED = "the indentation does not fit the lines above"
_OPEN = "a bracket that is never closed, or a ',' missing before this"
_PLAINER = {
    r"found character '\t' that cannot start any token": "a tab: indent with spaces",
    "mapping values are not allowed here": "a ':' where none fits: is the line indented wrongly, "
    "or does a text with ': ' in it lack quotes?",
    "could not find expected ':'": "expected 'key: value'",
    "expected <block end>, but found '<block mapping start>'": _INDENTED,
    "expected <block end>, but found '-'": _INDENTED,
    "expected <block end>, but found '?'": _INDENTED,
    "while scanning a quoted scalar": "a quote that is never closed",
    "while parsing a flow sequence": _OPEN,
    "while parsing a flow mapping": _OPEN,
}
_NOT_ALLOWED = "anchors and tags are not allowed; put text that begins with & or ! in quotes"
_NO_START = re.compile(r"found character '(.)' that cannot start any token")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written. ``file`` may also be the name of an environment variable."""

    file: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and where it says it."""

    file: str
    data: Any
    keys: Mapping[Route, Place]
    """Where the key (or the list entry) of a value stands."""
    values: Mapping[Route, Place]

    def get(self, route: Route) -> Any:
        """The value at ``route``; None where there is none."""
        here = self.data
        for step in route:
            try:
                here = here[step]
            except (KeyError, IndexError, TypeError):
                return None
        return here

    def problem(self, route: Route, message: str, *, at_key: bool = False) -> Problem:
        """A problem with the value at ``route``, or with its key.

        Of what is not in the file the nearest that is stands for it; of mappings and lists the
        key that holds them.
        """
        while route and route not in self.keys:
            route, at_key = route[:-1], True
        at_key = at_key or isinstance(self.get(route), dict | list)
        place = (self.keys if at_key else self.values).get(route, Place(self.file, 1, 1))
        return Problem(place.file, place.line, place.column, message)


def read_yaml(path: Path) -> Document:
    """Read a YAML file. Raises ``ConfigError`` with all that is wrong with its form."""
    file = str(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError([Problem(file, None, None, "there is no such file")]) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError([Problem(file, None, None, f"cannot be read: {reason}")]) from error
    if len(raw) > MOST_BYTES:
        raise ConfigError([Problem(file, None, None, "is larger than 1 MB: not a file of ours")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        problem = Problem(file, line, column, "is not UTF-8 text: save the file as UTF-8")
        raise ConfigError([problem]) from error
    return read_text(text, file)


def read_text(text: str, file: str) -> Document:
    """Read YAML text; ``file`` names it in problems. Raises ``ConfigError``."""
    reading = _Reading(file)
    try:
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        data = reading.document(iter(events))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        reading.complain(place, _plainly(error))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        reading.complain(Place(file, line, column), "a character that YAML does not allow")
    except _TooDeep:
        pass  # complained already
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        reading.complain(Place(file), f"is not YAML: {error}")
    if reading.problems:
        raise ConfigError(reading.problems)
    return Document(file, data, reading.keys, reading.values)


def scalar(text: str) -> str | int | float | bool | None:
    """What an unquoted word means: nothing, a boolean, a number, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _plainly(error: yaml.MarkedYAMLError) -> str:
    for said in (error.context, error.problem):
        if said in _PLAINER:
            return _PLAINER[said]
    if error.problem and (found := _NO_START.fullmatch(error.problem)):
        return f"text that begins with {found[1]} needs quotes around it"
    return f"is not YAML: {error.problem or error.context}"


class _TooDeep(yaml.YAMLError):
    """More levels than any file of ours has."""


@dataclass(slots=True)
class _Reading:
    """Builds values from YAML's events and notes where they stand."""

    file: str
    keys: dict[Route, Place] = field(default_factory=dict)
    values: dict[Route, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, place: Place, message: str) -> None:
        self.problems.append(Problem(place.file, place.line, place.column, message))

    def place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        return (
            Place(self.file) if mark is None else Place(self.file, mark.line + 1, mark.column + 1)
        )

    def document(self, events: Iterator[yaml.Event]) -> Any:
        data = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.complain(self.place(event), "only one document per file: remove '---'")
                    break
                data = self.node(next(events), events, ())
        if not self.problems and data is None:
            self.complain(Place(self.file, 1, 1), "is empty")
        return data

    def node(self, event: yaml.Event, events: Iterator[yaml.Event], route: Route) -> Any:
        place = self.place(event)
        self.values[route] = place
        if len(route) > MOST_DEPTH:
            self.complain(place, f"nested deeper than {MOST_DEPTH} levels")
            raise _TooDeep
        self.refuse_extras(event, place)
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(events, route)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(events, route)
        if isinstance(event, yaml.ScalarEvent):
            return self.text(event, place)
        return None

    def refuse_extras(self, event: yaml.Event, place: Place) -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            self.complain(place, f"'*{anchor}': aliases are not allowed; write it out")
        elif anchor is not None:
            self.complain(place, f"'&{anchor}': {_NOT_ALLOWED}")
        if tag is not None:
            self.complain(place, f"'{tag}': {_NOT_ALLOWED}")

    def text(self, event: yaml.ScalarEvent, place: Place) -> Any:
        if any("\ud800" <= letter <= "\udfff" for letter in event.value):
            self.complain(place, "half a character (a lone surrogate)")
        return scalar(event.value) if event.implicit[0] and event.style is None else event.value

    def sequence(self, events: Iterator[yaml.Event], route: Route) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            here = (*route, len(items))
            self.keys[here] = self.place(event)
            items.append(self.node(event, events, here))
        return items

    def mapping(self, events: Iterator[yaml.Event], route: Route) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key, place = self.key(event, events, route)
            here = (*route, key)
            if key in items:
                first = self.keys[here].line
                self.complain(place, f"duplicate key '{key}': it stands in line {first} already")
                self.node(next(events), events, (*route, f"{key} (again)"))
                continue
            self.keys[here] = place
            items[key] = self.node(next(events), events, here)
        return items

    def key(
        self, event: yaml.Event, events: Iterator[yaml.Event], route: Route
    ) -> tuple[str, Place]:
        place = self.place(event)
        if not isinstance(event, yaml.ScalarEvent):
            self.complain(place, "a key is a single word, not a list or a mapping")
            self.node(event, events, (*route, "?"))
            return "?", place
        self.refuse_extras(event, place)
        if event.value == "<<" and event.style is None:
            self.complain(place, "merge keys (<<) are not allowed; write the keys out")
        self.text(event, place)
        return event.value, place
