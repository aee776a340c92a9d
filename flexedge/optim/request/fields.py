"""JSON objects whose fields know their path, so that every complaint names its place."""

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NoReturn

from flexedge.domain import units
from flexedge.errors import BadField


class Fields:
    """A JSON object at a path; ``origins`` are the paths of keys that came from elsewhere."""

    def __init__(self, data: Any, path: str, origins: Mapping[str, str] | None = None) -> None:
        if not isinstance(data, Mapping):
            raise BadField(path or "the file", f"should be an object, not {_kind(data)}")
        self.data: Mapping[str, Any] = data
        self.path = path
        self.origins = origins or {}

    def at(self, key: str) -> str:
        """The path of a field."""
        path = self.origins.get(key, self.path)
        return f"{path}.{key}" if path else key

    def fail(self, key: str, message: str) -> NoReturn:
        """Complain about a field."""
        raise BadField(self.at(key), message)

    def has(self, key: str) -> bool:
        """Whether the field is given; null counts as not given."""
        return self.data.get(key) is not None

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Complain about a field that does not exist, and name the one that may be meant."""
        names = list(known)
        for key in self.data:
            if key not in names:
                close = difflib.get_close_matches(str(key).replace("_", "-"), names, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                self.fail(str(key), f"there is no such field{hint}")

    def object(self, key: str) -> "Fields":
        """A field that holds an object; an empty one where it is not given."""
        value = self.data.get(key)
        return Fields({} if value is None else value, self.at(key))

    def objects(self, key: str) -> Iterator["Fields"]:
        """The objects in a list; none where the field is not given."""
        for number, value in enumerate(self.items(key)):
            yield Fields(value, f"{self.at(key)}[{number}]")

    def items(self, key: str) -> list[Any]:
        """A list; empty where the field is not given."""
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fail(key, f"should be a list, not {_kind(value)}")
        return value

    def text(self, key: str) -> str:
        """Some text that is not blank."""
        value = self.data.get(key)
        if not isinstance(value, str) or not value.strip():
            self.fail(key, "should be a text" if value is None else f"should be a text, not "
                      f"{_kind(value)}")  # fmt: skip
        return value

    def name(self, key: str) -> str:
        """A name of a sensor or an asset: a text, or a number that stands for one."""
        value = self.data.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text(key)

    def one_of(self, key: str, allowed: Iterable[str], default: str) -> str:
        """One of some words, in whatever case."""
        words = list(allowed)
        if not self.has(key):
            return default
        word = self.text(key).upper()
        if word not in words:
            self.fail(key, f"should be one of {', '.join(words)}, not {self.data[key]!r}")
        return word

    def boolean(self, key: str, default: bool) -> bool:  # noqa: FBT001 - a default is a value
        """True or false."""
        value = self.data.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fail(key, f"should be true or false, not {_kind(value)}")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number."""
        value = self.data.get(key, default)
        if value is None:
            value = default
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(key, "should be a number" if value is None else f"should be a number, not "
                      f"{_kind(value)}")  # fmt: skip
        if not math.isfinite(value):
            self.fail(key, "should be a finite number")
        return float(value)

    def duration(self, key: str) -> timedelta:
        """An ISO 8601 duration above zero."""
        try:
            value = units.duration(self.data.get(key))
        except ValueError as error:
            self.fail(key, str(error))
        if value <= timedelta(0):
            self.fail(key, "should be longer than nothing")
        if value > _LONGEST:
            self.fail(key, f"is too long: {_LONGEST.days} days at most")
        return value

    def moment(self, key: str) -> datetime:
        """An ISO 8601 date and time with its offset from UTC."""
        value = self.data.get(key)
        example = "write it as '2030-01-15T07:00:00+01:00'"
        if not isinstance(value, str):
            self.fail(key, f"should be a date and time: {example}")
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(key, f"{value!r} is not a date and time: {example}")
        if moment.tzinfo is None:
            self.fail(key, f"{value!r} has no offset from UTC: {example}")
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            self.fail(key, f"{value!r} lies too far away")
        return moment


_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_LONGEST = timedelta(days=3660)


def _kind(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return repr(value)
