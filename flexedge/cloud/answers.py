"""What a server's answer means: JSON, that it is away, does not know us, or said no."""

import json
import unicodedata
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, NoReturn

from flexedge.cloud.transport import Answer
from flexedge.errors import Away, CentreAway, CentreLocked, CentreRefused

LONGEST: Final = 300
"""Characters of what a server says that are told on."""
MOST_WAIT: Final = timedelta(hours=1)
_MOST_TOLD: Final = 8
_GOOD: Final = range(200, 300)
_NO_CONTENT: Final = 204
_UNAUTHORIZED: Final = 401
NOT_FOUND: Final = 404
"""Also where a server says 422 and that there is nothing with this number."""
_UNPROCESSABLE: Final = 422
_WHOSE: Final = "flexmeasures-version"
"""A header of all its answers. Others say 404 too, and nothing was deleted then."""
_TOO_LARGE: Final = 413
_REQUEST: Final = range(400, 500)
_SERVER: Final = range(500, 600)
_AWAY: Final[Mapping[int, tuple[Away, str]]] = {
    407: ("connect", "the proxy wants to be logged in to"),
    408: ("server", "it gave up waiting for what we sent"),
    425: ("server", "it asks to be tried again"),
    429: ("busy", "it was asked too often"),
    511: ("portal", "the network wants to be logged in to"),
}


def meaning(centre: str, answer: Answer, secrets: Collection[str]) -> Any:
    """The JSON of a good answer; None where it is empty and may be.

    ``secrets``: never told, even if the server repeats them. Raises ``CentreAway``,
    ``CentreLocked`` (401) and ``CentreRefused``.
    """
    if answer.status in _GOOD:
        if answer.status == _NO_CONTENT and not answer.content:
            return None
        return _json(centre, answer)
    if answer.status in _AWAY or answer.status in _SERVER:
        raise _away(centre, answer)
    if answer.status in _REQUEST:
        _no(centre, answer, secrets)
    raise CentreAway(centre, "garbled", f"it answers with status {answer.status}")


def parsed(centre: str, answer: Answer) -> Any:
    """The JSON of an answer, whatever its status. Raises ``CentreAway``."""
    return _json(centre, answer)


def told(content: Any, secrets: Collection[str] = ()) -> str:
    """What a server says in its answer, as one line without anything that is not text."""
    message = content
    if isinstance(content, dict):
        message = next((content[k] for k in ("message", "errors", "error") if content.get(k)), "")
    return cleaned(_words(message), secrets)


def cleaned(text: str, secrets: Collection[str] = ()) -> str:
    """A text as one line of 300 characters at most, without control characters and secrets."""
    for secret in secrets:
        text = text.replace(secret, "…")
    text = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in text[:10_000])
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _json(centre: str, answer: Answer) -> Any:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        page = kind == "text/html" or answer.content.lstrip()[:1] == b"<"
        raise CentreAway(
            centre, "portal" if page or answer.status not in _GOOD else "garbled",
            "a web page answers in its place: is there a network to log in to, or another address?"
            if page else f"what answers is no FlexMeasures (status {answer.status})",
        )  # fmt: skip
    try:
        return json.loads(answer.content, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        words = "its answer is empty" if not answer.content else "its answer is no whole JSON"
        raise CentreAway(centre, "garbled", words) from error


def _away(centre: str, answer: Answer) -> CentreAway:
    wait = retry_after(answer.headers)
    kind, words = _AWAY.get(answer.status, ("server", "it failed"))
    if kind == "server" and wait is not None:
        kind, words = "busy", "it asks to be left alone for a time"
    return CentreAway(
        centre, kind, f"{words} (status {answer.status})", wait if kind == "busy" else None
    )


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """How long a server wants to be left alone, at most an hour; None if it does not say.

    A date is meant by the server's own clock, which the header "Date" tells.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text[:9]), MOST_WAIT.total_seconds()))
    then, there = http_date(text), http_date(headers.get("date", ""))
    if then is None or there is None:
        return None
    return max(timedelta(0), min(then - there, MOST_WAIT))


def http_date(text: str) -> datetime | None:
    """A date of HTTP; None for what is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return None if moment.utcoffset() is None else moment


def _no(centre: str, answer: Answer, secrets: Collection[str]) -> NoReturn:
    if answer.status == _TOO_LARGE:  # often said by what stands before the server, as a page
        raise CentreRefused(centre, answer.status, "PAYLOAD_TOO_LARGE", "too much at once")
    content = _json(centre, answer)
    words = told(content, secrets)
    if answer.status == NOT_FOUND and _WHOSE not in answer.headers:
        raise CentreAway(centre, "portal", "what answers is no FlexMeasures (status 404)")
    if answer.status == _UNAUTHORIZED:
        raise CentreLocked(centre, words or "it does not know us")
    code = content.get("status") if isinstance(content, dict) else None
    if _not_there(answer.status, content):
        raise CentreRefused(centre, NOT_FOUND, "NOT_FOUND", words)
    raise CentreRefused(
        centre, answer.status, cleaned(code, secrets)[:60] if isinstance(code, str) else "", words
    )


def _not_there(status: int, content: Any) -> bool:
    """Whether what the address names is not there: servers tell that with 404 or 422."""
    if status != _UNPROCESSABLE:
        return status == NOT_FOUND
    message = content.get("message") if isinstance(content, dict) else None
    place = message.get("path", message) if isinstance(message, dict) else None
    return isinstance(place, dict) and "found with ID" in _words(place.get("id", ""))


def _words(message: Any) -> str:
    """Sentences out of a tree of them: "duration: Missing data."."""
    if isinstance(message, dict):
        parts = [(str(key), _words(value)) for key, value in list(message.items())[:_MOST_TOLD]]
        places = ("json", "query", "path", "_schema")
        return "; ".join(text if key in places else f"{key}: {text}" for key, text in parts)
    if isinstance(message, list):
        return " ".join(_words(one) for one in message[:_MOST_TOLD])
    return str(message)[:10_000]
