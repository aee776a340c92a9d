"""Lists that are searched, and told page by page."""

import shlex
from collections.abc import Sequence
from typing import TypeVar

from flexedge.errors import RequestError
from flexedge.web.api.op import invalid
from flexedge.wire.assets import Paged

_T = TypeVar("_T")


def terms(text: str | None) -> list[str]:
    """What is searched for: words, and phrases in quotes; in lower case."""
    try:
        return [] if text is None else shlex.split(text.lower())
    except ValueError as error:
        invalid({"filter": [f"{error}: a quote is missing at the end of a phrase."]}, "query")


def matches(term: str, number: int, *names: str | None) -> bool:
    """Whether a term is in one of some names, or a number begins with it."""
    return str(number).startswith(term) or any(term in (name or "").lower() for name in names)


def page_of(found: Sequence[_T], asked: Paged) -> Sequence[_T]:
    """The page that is asked for, or all. Raises ``RequestError`` for one behind the last."""
    if asked.page is None:
        return found
    start = (asked.page - 1) * asked.per_page
    if start and start >= len(found):
        raise RequestError(404, f"There is no page {asked.page}.")
    return found[start : start + asked.per_page]
