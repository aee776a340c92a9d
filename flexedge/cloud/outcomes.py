"""What came of a call: values, made of what a server answered.

Raises ``Misshapen`` for an answer that has not the shape of one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from flexedge.cloud.answers import meaning, parsed, told
from flexedge.cloud.shapes import Json, Misshapen, mapping, mappings, number, run, text, unwrapped
from flexedge.cloud.transport import Answer
from flexedge.domain.runs import Run
from flexedge.errors import CentreRefused

_PENDING: Final = frozenset({"QUEUED", "STARTED", "DEFERRED", "SCHEDULED", "CREATED"})
_ENDED: Final[Mapping[str, Literal["finished", "failed"]]] = {
    "FINISHED": "finished", "FAILED": "failed", "STOPPED": "failed", "CANCELED": "failed",
}  # fmt: skip
_PROCESSED: Final = "PROCESSED"
_GONE: Final = 404
_OF_JOBS: Final = (200, 202, 422)
_OF_PENDING: Final = (202, 400)
"""400: before FlexMeasures 1.0, and where that keeps to old clients."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server says of itself."""

    version: str
    """Of FlexMeasures, or the one whose API it speaks."""
    server: str
    """ "FlexMeasures" or "flexedge"."""


@dataclass(frozen=True, slots=True)
class Whoami:
    """Who we are there."""

    user_id: int
    email: str
    account_id: int
    account: str


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of posted values. ``job``: not stored before that job is done."""

    job: str | None
    known: bool
    """All of it was there already."""


@dataclass(frozen=True, slots=True)
class Job:
    """How far a job is."""

    state: Literal["waiting", "finished", "failed", "gone"]
    """gone: the server does not know it (any more): it may be done, or lost."""
    message: str = ""
    result: Json | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list."""

    some: Sequence[Json]
    whole: int | None
    """How many there are on all pages; None: that is not told."""


def greeting(centre: str, answer: Answer) -> Greeting:
    """What a server says of itself. Raises ``CentreError``."""
    found = mapping(meaning(centre, answer, ()))
    versions = found.get("versions")
    if not isinstance(versions, list) or "v3_0" not in versions:
        raise Misshapen("it is no FlexMeasures server with the API v3_0")
    version = str(found.get("flexmeasures_version") or "")[:40]
    ours = answer.headers.get("served-by") == "flexedge"
    return Greeting(version, "flexedge" if ours else "FlexMeasures")


def named(content: Any) -> tuple[int, str]:
    """A number and a name."""
    found = mapping(content)
    return number(found), text(found, "name")


def all_named(content: Any) -> list[tuple[int, str]]:
    """Numbers and names."""
    return [named(one) for one in mappings(content)]


def users(content: Any) -> list[tuple[int, str]]:
    """Numbers and e-mail addresses."""
    return [(number(one), text(one, "email")) for one in mappings(content)]


def user(content: Any) -> tuple[str, int]:
    """The e-mail address of a user, and the number of the account."""
    found = mapping(content)
    return text(found, "email"), number(found, "account_id")


def numbered(content: Any) -> int:
    """The number of what was made."""
    return number(mapping(content))


def all_unwrapped(content: Any) -> list[Json]:
    """Assets or sensors, JSON fields as values."""
    return [unwrapped(one) for one in mappings(content)]


def page(content: Any) -> Page:
    """A page of assets, JSON fields as values. A list by itself is all there is."""
    some = all_unwrapped(content)
    if isinstance(content, dict):
        counted = "filtered-records" in content
        return Page(some, number(content, "filtered-records") if counted else None)
    return Page(some, len(some))


def posted(content: Any) -> Posted:
    """What became of posted values.

    They are stored, or a job will store them, only if the answer says so: whoever else answers "{}"
    (a device on the way, a page that was redirected to) has not stored anything.
    """
    found = mapping(content)
    status, job = text(found, "status"), text(found, "job") or None
    known = status.startswith("ALREADY_RECEIVED")
    if job is None and not (known or status == _PROCESSED):
        raise Misshapen("it does not say that the values were stored")
    return Posted(job, known)


def triggered(content: Any) -> str:
    """The job of a schedule."""
    found = mapping(content)
    job = text(found, "job") or text(found, "schedule")
    if not job:
        raise Misshapen("it names no job for the schedule that was asked for")
    return job


def stalenesses(content: Any) -> Sequence[Json]:
    """How stale a sensor is, by type of source."""
    return mappings(mapping(content).get("sensors_data"))


def job(centre: str, answer: Answer, secrets: Collection[str]) -> Job:
    """How far a job is. Raises ``CentreError``."""
    gone = False
    if answer.status not in _OF_JOBS:
        try:
            meaning(centre, answer, secrets)
        except CentreRefused as refused:
            gone = refused.status == _GONE
            if not gone:
                raise
    found = mapping(parsed(centre, answer))
    message = told(found, secrets)
    if gone:
        return Job("gone", message)
    state, result = text(found, "status").upper(), found.get("result")
    if state in _ENDED:
        return Job(_ENDED[state], message, result if isinstance(result, dict) else None)
    return Job("waiting", message)


def schedule(centre: str, answer: Answer, secrets: Collection[str]) -> Run | None:
    """A schedule; None while it is made. Raises ``CentreError``."""
    if answer.status not in _OF_PENDING:
        return run(meaning(centre, answer, secrets))
    pending = mapping(parsed(centre, answer)).get("status") in _PENDING
    return None if pending else run(meaning(centre, answer, secrets))
