"""Everything flexedge raises on purpose.

FlexedgeError
├── ConfigError            the installer's files: all problems found, each with file:line:column
├── DeviceError            names the device
│   ├── DeviceUnreachable  no answer: the line backs off, health shows it
│   ├── DeviceRefused      the device said no (an exception code, a refused write)
│   └── DeviceGarbled      an answer that is not one: wrong length, wrong function, no JSON
├── StoreError             the database did not do what was asked
│   ├── StoreLocked        another process holds the data folder
│   ├── StoreDamaged       what is on the disk is not what was written
│   ├── StoreFull          there is no room on the disk
│   ├── StoreUnwritable    the disk takes no writes: it is read-only, or fails
│   ├── StoreSlow          a query was not done by its deadline
│   └── StoreClosed        the program ends; nobody is to hear of it
├── PlanError
│   ├── BadField           what was asked to be planned is wrong: names the field
│   ├── Infeasible         no plan exists; names the limits at fault
│   └── SolverGaveUp       the solver stopped without a plan
├── CentreError            a central server; names it
│   ├── CentreAway         no answer that counts: to be tried again later, nothing is lost
│   ├── CentreLocked       it does not know us any more: 401, also after another log-in
│   └── CentreRefused      it understood and said no: HTTP status, its code and its sentence
├── WebUnavailable         the address of the page cannot be listened on
└── RequestError           a caller asked for something wrong: HTTP status and a sentence
    └── TooManyTries       429: come back later

Exceptions of other libraries end at the door module that imports the library
(``raise DeviceUnreachable(...) from error``). Expected outcomes (clamped, refused) are values
in :mod:`flexedge.domain.schedule`, not exceptions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


class FlexedgeError(Exception):
    """The root of what flexedge raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one place of a file: what it is and what would be right."""

    file: str
    line: int | None
    column: int | None
    message: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{place}: {self.message}"


class ConfigError(FlexedgeError):
    """The installer's files are wrong; ``problems`` holds every one that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DeviceError(FlexedgeError):
    """A device did not do what was asked."""

    def __init__(self, device: str, message: str) -> None:
        self.device = device
        self.message = message
        super().__init__(f"{device}: {message}")


class DeviceUnreachable(DeviceError):
    """No answer within the deadline, or no connection."""


class DeviceRefused(DeviceError):
    """The device answered with an error: it will not do this."""


class DeviceGarbled(DeviceError):
    """The answer does not fit the question."""


class StoreError(FlexedgeError):
    """The database did not do what was asked."""


class StoreLocked(StoreError):
    """Another process holds the data folder."""


class StoreDamaged(StoreError):
    """What is on the disk is not what was written there."""


class StoreFull(StoreError):
    """There is no room on the disk; nothing of what was asked has been done."""


class StoreUnwritable(StoreError):
    """The disk takes no writes: it is read-only, or fails."""


class StoreSlow(StoreError):
    """A query was not done by its deadline."""


class StoreClosed(StoreError):
    """The store was closed, because the program ends."""


class PlanError(FlexedgeError):
    """No plan came out."""


class BadField(PlanError):
    """A field of what was asked to be planned is wrong; ``path`` names it."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{path}: {message}")


class Infeasible(PlanError):
    """No plan satisfies the limits; ``culprits`` names them in the installer's words."""

    def __init__(self, culprits: Sequence[str]) -> None:
        self.culprits = tuple(culprits)
        super().__init__("no plan satisfies " + ", ".join(culprits or ("the limits",)))


class SolverGaveUp(PlanError):
    """The solver stopped without a plan."""

    def __init__(self, status: str, seconds: float) -> None:
        self.status = status
        self.seconds = seconds
        super().__init__(f"the solver stopped after {seconds:.1f} s: {status}")


Away = Literal[
    "dns", "connect", "tls", "clock", "timeout", "reset", "portal", "redirect", "large", "garbled",
    "server", "busy", "paced",
]  # fmt: skip
"""Why a centre is away: no such name; no connection; a certificate that is not to be trusted, or
one that only our own untrusted clock may make look so; too slow; cut off; an answer of somebody
else (a captive portal); a redirect elsewhere; more bytes than any answer has; no JSON where there
should be some; 5xx; 429 or 503 with
a time to come back; and our own pace, which allows no more requests now."""


class CentreError(FlexedgeError):
    """A central server did not do what was asked."""

    def __init__(self, centre: str, message: str) -> None:
        self.centre = centre
        self.message = message
        super().__init__(f"{centre}: {message}")


class CentreAway(CentreError):
    """No answer that counts; the same may well work later. ``retry_after``: not before that."""

    def __init__(
        self, centre: str, kind: Away, message: str, retry_after: timedelta | None = None
    ) -> None:
        self.kind = kind
        self.retry_after = retry_after
        super().__init__(centre, message)


class CentreLocked(CentreError):
    """The centre does not accept who we are: link again, or mend the credential."""


class CentreRefused(CentreError):
    """The centre said no: ``status`` of HTTP, its ``code`` ("INVALID_REPLACEMENT") and sentence."""

    def __init__(self, centre: str, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        super().__init__(centre, f"{status} {code}: {message}" if code else f"{status}: {message}")


class WebUnavailable(FlexedgeError):
    """The web page cannot listen on its address: taken, not ours, or not allowed."""


class RequestError(FlexedgeError):
    """A caller asked for something wrong."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


class TooManyTries(RequestError):
    """Too many wrong codes or passwords; ``retry_after_s`` says when to come back."""

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(429, f"Too many wrong tries. Try again in {retry_after_s} s.")
