"""Keeps what is at a centre like what is here: the duty ``tree``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from flexedge.cloud.central import Central, Json
from flexedge.errors import CentreRefused
from flexedge.gateway.health import Health
from flexedge.gateway.sync import sent
from flexedge.gateway.sync.build import links_of
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.joining import Joining
from flexedge.gateway.sync.linking import Office, ours_for
from flexedge.gateway.sync.survey import Key
from flexedge.gateway.sync.there import There, resolution_of
from flexedge.store.tables.centres import Link

_MOST: Final = 4
"""Things that are made or changed in one step."""
_ROUND: Final = timedelta(hours=1)
_SOON: Final = timedelta(minutes=1)
"""How often it is looked whether something is new here; that asks nobody."""
_SECOND: Final = timedelta(seconds=1)
_NOT_FOUND: Final = 404
_NO_ASSET: Final = (404, 422)
"""What is answered where sensors of an asset are asked for that is not there."""


@dataclass(slots=True)
class _Round:
    """One look at everything there."""

    next: datetime
    """When the next one begins."""
    left: list[int] = field(default_factory=list)
    """Assets whose sensors are still to be looked at, by their numbers there."""


class Upkeep:
    """Adds what is new here, sends up what changed, and notices what was deleted there.

    Nothing is made anew that was deleted there, before somebody links again; what was edited there
    stays. It waits until linking has come to its end.
    """

    name = "tree"

    def __init__(self, office: Office, health: Health) -> None:
        self._office = office
        self._health = health
        self._rounds: dict[int, _Round] = {}
        self._counts: dict[str, int] = {}

    def counts(self) -> Mapping[str, int]:
        """How often what was done, since the start."""
        return dict(self._counts)

    def step(self, linked: Linked, now: datetime) -> datetime:
        """Add and send some, or look at one asset there. Raises as ``Duty.step``."""
        office, centre = self._office, self._office.state.centres.get(linked.number)
        if centre is None or not centre.details.get("complete"):
            return now + _SOON
        if not office.lock.acquire(blocking=False):  # somebody links just now
            return now + _SOON
        try:
            if self._bring_up(linked, now):
                return now
            return self._look(linked, now)
        finally:
            office.lock.release()

    def _bring_up(self, linked: Linked, now: datetime) -> bool:
        """Make what is new and send what changed; whether there is more of it."""
        office, centre = self._office, linked.centre
        mine = ours_for(
            office, linked.rules, tuple(linked.centre.scopes), (linked.number, centre)
        )  # fmt: skip
        joining = Joining(
            office.state, linked.central, linked.number, mine, "beside", now
        )  # fmt: skip
        joining.go_on(_MOST)
        self._count("sent", len(joining.done))
        if joining.done and joining.left():
            return True
        told = joining.refused
        words = "; ".join(f"{name}: {what}" for name, what in sorted(told.items())[:3])
        more = f" and {len(told) - 3} more" if len(told) > 3 else ""  # noqa: PLR2004 (as above)
        about = f"centre {centre.name}: refused"
        self._health.alarm(about, words and f"{centre.name} does not take {words}{more}")
        return False

    def _look(self, linked: Linked, now: datetime) -> datetime:
        """Once an hour see whether everything is there still, an asset at a time."""
        this = self._rounds.setdefault(linked.number, _Round(now))
        if not this.left and now >= this.next:
            this.left, this.next = self._assets(linked, now), now + _ROUND
        elif this.left:
            self._sensors(linked, this.left[0], now)
            this.left.pop(0)
        self._tell(linked)
        return now if this.left else min(this.next, now + _SOON)

    def _assets(self, linked: Linked, now: datetime) -> list[int]:
        """Note assets that are gone; all whose sensors are to be looked at."""
        links = self._links(linked, "asset")
        every = self._listed(linked, [link for _, link in links])
        for number, link in links:
            if link.central_id not in every and not _is_there(linked.central, link):
                self._gone(number, link, now)
        return [link.central_id for _, link in links]

    def _listed(self, linked: Linked, links: Sequence[Link]) -> Collection[int]:
        """The assets there: those of the site, of a whole account only where there are many trees.

        An account may hold a fleet, and all of it look once an hour.
        """
        ours, known = self._office.state.assets.all(), {one.local_id for one in links}
        tops = [
            one.central_id for one in links
            if one.local_id in ours and ours[one.local_id].parent_id not in known
        ]  # fmt: skip
        root = tops[0] if len(tops) == 1 else None
        try:
            return There(linked.central, linked.centre.account_id, root).assets
        except CentreRefused as error:
            if root is None or error.status not in _NO_ASSET:
                raise
            return ()

    def _sensors(self, linked: Linked, asset: int, now: datetime) -> None:
        """Note sensors of an asset that are gone, and units and resolutions that are others."""
        try:
            every = There(linked.central, linked.centre.account_id).sensors(asset)
        except CentreRefused as error:
            if error.status not in _NO_ASSET:
                raise
            every = {}
        for number, link in self._links(linked, "sensor"):
            if link.details.get("asset") != asset:
                continue
            if link.central_id in every:
                self._describe(number, link, every[link.central_id])
            elif not _is_there(linked.central, link):
                self._gone(number, link, now)

    def _describe(self, number: int, link: Link, theirs: Json) -> None:
        resolution = resolution_of(theirs)
        seen = {"unit": str(theirs.get("unit"))}
        details = {**link.details, **seen}
        if resolution is not None:
            details["resolution"] = resolution / _SECOND
        if details != link.details:
            self._office.state.links.change(number, sent.described(link, details))

    def _links(self, linked: Linked, thing: str) -> list[tuple[int, Link]]:
        found = self._office.state.links.find(centre_id=linked.number, thing=thing)
        return [(number, one) for number, one in found.items() if not sent.is_gone(one)]

    def _gone(self, number: int, link: Link, now: datetime) -> None:
        self._office.state.links.change(number, sent.gone(link, now))
        self._count("gone", 1)

    def _tell(self, linked: Linked) -> None:
        name, state = linked.centre.name, self._office.state
        gone = [key for key, one in links_of(state, linked.number).items() if sent.is_gone(one)]
        words = ""
        if gone:
            told = ", ".join(self._words(key) for key in gone[:3])
            more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""  # noqa: PLR2004 (as above)
            words = (
                f"deleted at {name}: {told}{more}; nothing of it is sent any more; to make it anew:"
                f" flexedge link"
            )
        self._health.alarm(f"centre {name}: deleted", words)

    def _words(self, key: Key) -> str:
        thing, number, role = key
        state = self._office.state
        if thing == "asset":
            asset = state.assets.get(number)
            return f"asset {number}" if asset is None else asset.name
        sensor = state.sensors().get(number)
        return f"{sensor.name if sensor else number} {role}".strip()

    def _count(self, what: str, n: int) -> None:
        self._counts[what] = self._counts.get(what, 0) + n


def _is_there(central: Central, link: Link) -> bool:
    """Whether the centre knows what a list of it did not have: it may have been moved."""
    look = central.asset if link.thing == "asset" else central.sensor
    try:
        look(link.central_id)
    except CentreRefused as error:
        if error.status != _NOT_FOUND:
            raise
        return False
    return True
