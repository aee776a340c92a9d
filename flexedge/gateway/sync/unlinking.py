"""Ends what a gateway has to do with a centre; what was made there stays, or goes if so asked."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flexedge.cloud.central import Central, Json
from flexedge.errors import CentreRefused, RequestError
from flexedge.gateway.sync.linking import Office, centre_named
from flexedge.gateway.sync.ours import gateway_id, site_account
from flexedge.gateway.sync.sent import is_gone
from flexedge.gateway.sync.there import There, mark_of
from flexedge.gateway.sync.vitals import ROLE as VITAL
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.centres import Centre, Link

_GONE = 404


@dataclass(frozen=True, slots=True)
class Unlinked:
    """What was forgotten here, and deleted there."""

    name: str
    url: str
    links: int
    deleted: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    """What was to be deleted there and is not, and why."""


def unlink(office: Office, name: str, who: str, *, delete_there: bool = False) -> Unlinked:
    """Forget a centre: credential, links, positions, values set aside.

    ``delete_there``: delete first what was made there, with its data. ``who``: for the audit trail.
    Raises ``RequestError`` 404 where there is no such centre, ``StoreError``, and ``CentreError``
    with ``delete_there`` alone; nothing is forgotten then.
    """
    with office.lock:
        found = centre_named(office.state, name)
        if found is None:
            names = ", ".join(sorted(one.name for one in office.state.centres.all().values()))
            raise RequestError(404, f"There is no centre {name!r}; there are {names or 'none'}.")
        number, centre = found
        links = tuple(office.state.links.find(centre_id=number).values())
        deletion = _Deletion(office, centre, links)
        if delete_there:
            deletion.run()
        office.keys(name).forget()
        office.state.cursors.forget_centre(number)
        office.state.centres.remove(number)
        told = Unlinked(name, centre.url, len(links), tuple(deletion.deleted), deletion.kept)
        after = {"deleted": list(told.deleted)} if delete_there else None
        before = {"url": centre.url, "account": centre.account_id, "user": centre.user}
        what = f"Unlinked from centre {name}"
        account = site_account(office.state)
        office.state.audit.add(Entry(office.now(), who, what, before, after, account_id=account))
        return told


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

    def run(self) -> None:
        """Delete it. Raises ``CentreError``; to be begun again then."""
        office, name = self._office, self._centre.name
        central = office.reach(name, self._centre.url, office.keys(name), office.rules(name))
        try:
            self._delete(central, There(central, self._centre.account_id))
        finally:
            central.close()

    def _delete(self, central: Central, there: There) -> None:
        parents = {number: one.get("parent_asset_id") for number, one in there.assets.items()}
        order = sorted(self._linked & parents.keys(), key=lambda one: -_depth(one, parents))
        for number in order:  # what is below goes before what it is in
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
