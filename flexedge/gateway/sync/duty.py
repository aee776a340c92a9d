"""What is done with a centre: duties, each with one step, all in one thread for each centre."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from flexedge.cloud.central import Central
from flexedge.config.centre import CentreRules, Scope
from flexedge.store.tables.centres import Centre, Link


@dataclass(frozen=True, slots=True)
class Linked:
    """A centre we are linked with: all a duty needs to know of it."""

    number: int
    """Of ``state.centres``."""
    centre: Centre
    rules: CentreRules
    central: Central

    def may(self, scope: Scope) -> bool:
        """Whether something is wanted here and was agreed on when it was linked."""
        return scope in self.rules.scopes and scope in self.centre.scopes


@dataclass(frozen=True, slots=True)
class Heard:
    """How a duty fares, for people: ``sync status`` and the page."""

    duty: str
    last_good: datetime | None = None
    trouble: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


class Duty(Protocol):
    """One thing that is done with a centre now and then."""

    name: str

    def step(self, linked: Linked, now: datetime) -> datetime:
        """Do what is due; returns when to be called again at the latest.

        Raises ``CentreError``: who calls it backs off from the centre where that is away, and
        tells of it otherwise; and ``StoreError``. A step makes at most a handful of requests.
        """


def links_of(links: Mapping[int, Link], centre: int) -> Mapping[tuple[str, int, str], int]:
    """Numbers of links by what they link: thing, our number, role."""
    return {
        (one.thing, one.local_id, one.role): number
        for number, one in links.items()
        if one.centre_id == centre
    }
