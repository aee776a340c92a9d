"""Whose word about a sensor counts: the source filters of a reference."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flexedge.optim.request.fields import Fields

FILTERS = ("source", "sources", "source-types", "exclude-source-types", "source-account")


@dataclass(frozen=True, slots=True)
class Believer:
    """Who says something about a sensor, and when."""

    name: str | None = None
    kind: str | None = None
    account: str | None = None
    at: datetime | None = None
    """None: long ago."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which believers count; None: all."""

    names: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    not_kinds: frozenset[str] = frozenset()
    accounts: frozenset[str] | None = None

    def admits(self, one: Believer) -> bool:
        """Whether a believer counts; what is not told about one speaks for it."""
        asked = ((self.names, one.name), (self.kinds, one.kind), (self.accounts, one.account))
        wanted = all(some is None or its is None or its in some for some, its in asked)
        return wanted and one.kind not in self.not_kinds


ALL = Filter()


def read(fields: Fields) -> Filter:
    """The filters of a reference to a sensor. Raises ``BadField``."""
    names = _names(fields, "sources")
    if fields.has("source"):
        names = (names or frozenset()) | {fields.name("source")}
    return Filter(
        names,
        _names(fields, "source-types"),
        _names(fields, "exclude-source-types") or frozenset(),
        _names(fields, "source-account"),
    )


def _names(fields: Fields, key: str) -> frozenset[str] | None:
    """A list of names, or of numbers that stand for them."""
    if not fields.has(key):
        return None
    items: Iterable[object] = fields.items(key)
    for number, one in enumerate(items):
        if not isinstance(one, str | int) or isinstance(one, bool):
            fields.fail(f"{key}[{number}]", "should be a name or a number")
    return frozenset(str(one) for one in items)
