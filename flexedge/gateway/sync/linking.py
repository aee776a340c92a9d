"""Linking with a central server, for people: what would be done, doing it, and undoing it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from flexedge.cloud.central import Central, Greeting, Whoami
from flexedge.cloud.keys import Key, Keys
from flexedge.config.centre import MAIN, SCOPES, CentreRules, Scope
from flexedge.store.state import State

SameName = Literal["ask", "adopt", "take-over", "beside"]
"""What is done with what has the name there that ours would get. adopt: it is ours from then on,
unless it is another gateway's; take-over: also then; beside: ours gets another name."""
Way = Literal["have", "find", "make", "ask", "leave"]
"""have: linked already; find: it is there and is ours; make: it will be made; ask: something has
its name there (``SameName``); leave: it is not sent."""


@dataclass(frozen=True, slots=True)
class Step:
    """What will become of one of our assets or sensors."""

    thing: Literal["asset", "sensor"]
    local_id: int
    role: str
    """Of sensors: "" (measured), "forecast", "schedule"."""
    path: str
    """Where it is here: "Home / battery / power forecast"."""
    name: str
    """What it is called there."""
    way: Way
    central_id: int | None = None
    notes: tuple[str, ...] = ()
    """How it was found, what differs, why it is left out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """With which server to link, and how."""

    url: str
    key: Key | None = None
    """Who we are there; None: what is kept, or what systemd gave."""
    name: str = MAIN
    account_id: int | None = None
    """Whose the assets there shall be; None: the user's own account."""
    scopes: tuple[Scope, ...] = SCOPES
    same_name: SameName = "ask"


@dataclass(frozen=True, slots=True)
class Plan:
    """What linking would do; nothing is changed anywhere by making it."""

    name: str
    url: str
    greeting: Greeting
    who: Whoami
    accounts: Mapping[int, str]
    """Those to choose from."""
    account_id: int
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """What one call of ``link`` did. ``left``: call again as long as there is some."""

    name: str
    done: tuple[str, ...]
    """What was made, found or set, as sentences."""
    left: int
    refused: Mapping[str, str] = field(default_factory=dict)
    """What the centre did not take, with what it said; tried again by the next linking only."""
    undecided: tuple[Step, ...] = ()
    """Of these somebody must say what to do (``SameName``) before it goes on."""
    wait_s: float = 0.0
    """So long to wait before the next call."""


@dataclass(frozen=True, slots=True)
class Unlinked:
    """What was forgotten here, and deleted there."""

    name: str
    url: str
    links: int
    deleted: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    """What was to be deleted there and is not, and why."""


@dataclass(frozen=True, slots=True)
class Office:
    """What linking needs."""

    state: State
    keys: Callable[[str], Keys]
    """Where the credential of a centre is kept, by the centre's name."""
    rules: Callable[[str], CentreRules]
    """What the site file says of a centre; ``CentreRules()`` where it says nothing."""
    now: Callable[[], datetime]
    reach: Callable[[str, str, Keys, CentreRules], Central]
    """A client, by name and URL."""
    kinds: Callable[[], Mapping[int, frozenset[str]]] = dict
    """By sensor, what kinds of sources ("forecaster", "scheduler") believe something of it."""


def plan_link(office: Office, asked: Asked) -> Plan:
    """What ``link`` would do. Raises ``CentreError``, and ``RequestError`` for what cannot be."""
    raise NotImplementedError


def link(office: Office, asked: Asked, who: str) -> Progress:
    """Do some of it, a handful of requests; to be called until nothing is left.

    Cut anywhere it goes on with the next call. ``who``: for the audit trail. Raises as
    ``plan_link``, and ``StoreError``.
    """
    raise NotImplementedError


def unlink(office: Office, name: str, who: str, *, delete_there: bool = False) -> Unlinked:
    """Forget a centre: credential, links, positions, values set aside.

    ``delete_there``: delete first what was made there. Raises ``RequestError`` 404 where there is
    no such centre, and ``CentreError`` with ``delete_there`` alone; nothing is forgotten then.
    """
    raise NotImplementedError
