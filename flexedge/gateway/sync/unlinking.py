"""Ends what a gateway has to do with a centre; what was made there stays, or goes if so asked."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from flexedge.cloud.central import Central, Json
from flexedge.errors import CentreAway, CentreRefused, RequestError
from flexedge.gateway.sync.linking import Office, centre_named
from flexedge.gateway.sync.office import hasty, pause
from flexedge.gateway.sync.ours import gateway_id, site_account
from flexedge.gateway.sync.sent import is_gone
from flexedge.gateway.sync.there import There, mark_of
from flexedge.gateway.sync.vitals import ROLE as VITAL
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.centres import Centre, Link

_GONE: Final = 404
_MOST: Final = 8
"""Things that are deleted at one go: who waits hears of each."""


@dataclass(frozen=True, slots=True)
class Unlinked:
    """What was forgotten here, and deleted there."""

    name: str
    url: str
    links: int
    deleted: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    """What was to be deleted there and is not, and why."""
    left: int = 0
    """Assets that are still to be looked at: nothing is forgotten yet, call again."""
    wait_s: float = 0.0
    """So long to wait before that."""


def unlink(office: Office, name: str, who: str, *, delete_there: bool = False) -> Unlinked:
    """Forget a centre: credential, links, positions, values set aside.

    ``delete_there``: delete first what was made there, with its data, some with each call: to be
    called until nothing is left. ``who``: for the audit trail. Raises ``RequestError`` 404 where
    there is no such centre, 409 where assets are being made for long, ``StoreError``, and
    ``CentreError`` with ``delete_there`` alone; nothing is forgotten then.
    """
    with office.turn():
        found = centre_named(office.state, name)
        if found is None:
            names = ", ".join(sorted(one.name for one in office.state.centres.all().values()))
            there = f"there are {names}" if names else "this gateway is linked with none"
            raise RequestError(404, f"There is no centre {name!r}: {there}.")
        number, centre = found
        links = tuple(office.state.links.find(centre_id=number).values())
        deletion = _Deletion(office, centre, links)
        try:
            if delete_there:
                deletion.run()
        finally:
            if deletion.deleted:
                gone = {"deleted": deletion.deleted}
                _note(office, who, f"Deleted at centre {name}", after=gone)
        told = Unlinked(
            name, centre.url, len(links), tuple(deletion.deleted), deletion.kept, deletion.left,
            deletion.wait_s,
        )  # fmt: skip
        if told.left:
            return told
        office.keys(name).forget()
        office.state.cursors.forget_centre(number)
        office.state.forget_all(f"sync.{number}.")
        office.state.centres.remove(number)
        before = {"url": centre.url, "account": centre.account_id, "user": centre.user}
        _note(office, who, f"Unlinked from centre {name}", before=before)
        return told


def _note(
    office: Office, who: str, what: str, before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    account = site_account(office.state)
    office.state.audit.add(Entry(office.now(), who, what, before, after, account_id=account))


class _Deletion:
    """Deletes what was made at a centre: whole assets, and sensors of assets that were found."""

    def __init__(self, office: Office, centre: Centre, links: Collection[Link]) -> None:
        self._office, self._centre = office, centre
        self._gateway = gateway_id(office.state)
        known = [one for one in links if not is_gone(one)]
        self._linked = {one.central_id for one in known if one.thing == "asset"}
        self._made = {
            thing: {one.central_id for one in known if one.made and one.thing == thing}
            for thing in ("asset", "sensor")
        }
        self.deleted: list[str] = []
        self.kept: dict[str, str] = {}
        self.left = 0
        self.wait_s = 0.0

    def run(self) -> None:
        """Delete some of it. Raises ``CentreError``; to be begun again then."""
        office, name = self._office, self._centre.name
        central = office.reach(name, self._centre.url, office.keys(name), hasty(office, name))
        try:
            self._delete(central, There(central, self._centre.account_id))
        except CentreAway as error:
            self.wait_s = pause(error)
            self.left = max(self.left, 1)
        finally:
            central.close()

    def _delete(self, central: Central, there: There) -> None:
        parents = {number: one.get("parent_asset_id") for number, one in there.assets.items()}
        order = sorted(self._linked & parents.keys(), key=lambda one: -_depth(one, parents))
        for place, number in enumerate(order):  # what is below goes before what it is in
            self.left = len(order) - place
            if len(self.deleted) >= _MOST:
                return
            sensors, told = there.sensors(number), _told("asset", there.assets[number])
            made = {one for one, sensor in sensors.items() if self._is_made(one, sensor)}
            whole = number in self._made["asset"]
            if whole and number not in parents.values() and sensors.keys() <= made:
                if self._done(told, partial(central.delete_asset, number)):
                    del parents[number]
                continue
            if whole:
                self.kept[told] = "there are assets or sensors in it that were not made from here"
            for one in sorted(made):
                self._done(_told("sensor", sensors[one]), partial(central.delete_sensor, one))
        self.left = 0

    def _is_made(self, number: int, sensor: Json) -> bool:
        """Whether we made a sensor: linked, or one that tells of the gateway itself."""
        mark = mark_of(sensor)
        told = mark.get("gateway") == self._gateway and mark.get("role") == VITAL
        return told or number in self._made["sensor"]

    def _done(self, told: str, delete: Callable[[], None]) -> bool:
        try:
            delete()
        except CentreRefused as error:
            if error.status != _GONE:
                self.kept[told] = error.message
                return False
        self.deleted.append(told)
        return True


def _told(thing: str, one: Json) -> str:
    return f"{thing} {one.get('name')} ({one.get('id')})"


def _depth(number: int, parents: Mapping[int, Any]) -> int:
    depth, above = 0, parents.get(number)
    while above is not None and depth <= len(parents):
        depth, above = depth + 1, parents.get(above)
    return depth
