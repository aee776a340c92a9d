"""What becomes of each of our assets and sensors at a centre: looked at, nothing changed."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

from flexedge.cloud.central import Json
from flexedge.gateway.sync import naming
from flexedge.gateway.sync.ours import OurAsset, Ours, OurSensor
from flexedge.gateway.sync.steps import SameName, Step, Way
from flexedge.gateway.sync.there import Found, There, unlike
from flexedge.store.tables.centres import Link

Key = tuple[str, int, str]
"""Thing, our number, role."""
_BY: Final[Mapping[str, str]] = {
    "id": "it has the external id", "mark": "it is marked as ours", "name": "it has the name"
}  # fmt: skip


class Survey:
    """Goes through all that is ours, parents first.

    ``links``: what is linked already; who makes or finds something meanwhile says so with
    ``settle``, so that what is below it is looked for there.
    """

    def __init__(
        self, ours: Ours, there: There, links: Mapping[Key, Link], types: Collection[str],
        same_name: SameName,
    ) -> None:  # fmt: skip
        self._ours, self._there, self._types = ours, there, types
        self._same_name: SameName = same_name
        self._numbers = {key: link.central_id for key, link in links.items()}
        self._linked = set(self._numbers)

    def settle(self, step: Step, number: int) -> None:
        """Know what something of ours is there."""
        self._numbers[step.thing, step.local_id, step.role] = number

    def steps(self) -> Iterator[Step]:
        """What becomes of each. Raises ``CentreError``."""
        for one in self._ours.assets:
            step = self._asset(one)
            if step.central_id is not None:
                self.settle(step, step.central_id)
            yield step
            for sensor in one.sensors:
                yield from self._of_sensor(one, sensor)

    def _taken(self, thing: str) -> set[int]:
        return {number for key, number in self._numbers.items() if key[0] == thing}

    def _asset(self, one: OurAsset) -> Step:
        key: Key = ("asset", one.number, "")
        name = one.asset.name[: naming.ASSET_NAME]
        if key in self._linked:
            return _step(one, name, "have", self._numbers[key])
        above = one.asset.parent_id
        parent = self._numbers.get(("asset", above or 0, ""))
        nowhere = parent is None and self._is_ours(above)
        found = None
        if not nowhere:
            found = self._there.asset(one, self._ours.gateway, parent, self._taken("asset"))
        way, notes = self._way(found)
        if found is not None and way != "make":
            theirs = self._there.assets[found.number]
            told = (*notes, *self._differs(one, theirs, parent, found))
            return _step(one, str(theirs.get("name")), way, found.number, told)
        siblings = set() if nowhere else self._there.names_below(parent)
        free = naming.free_name(one.asset.name, siblings, naming.ASSET_NAME)
        told = (*notes, *self._type_notes(one), *_renamed(one.asset.name, free))
        return _step(one, free, "make", None, told)

    def _differs(self, one: OurAsset, theirs: Json, parent: int | None, found: Found) -> list[str]:
        """What of an asset there is not as it is here, but its settings."""
        told = []
        if theirs.get("name") != one.asset.name:
            told.append(f"it is called {theirs.get('name')!r} there")
        if found.by != "name" and theirs.get("parent_asset_id") != parent:
            told.append("it is under another asset there")
        kind = theirs.get("generic_asset_type")
        named = kind.get("name") if isinstance(kind, Mapping) else None
        if named not in (None, one.asset.kind, naming.type_name(one.asset.kind, self._types)):
            told.append(f"its type is {named} there, {one.asset.kind} here")
        return told

    def _is_ours(self, number: int | None) -> bool:
        return any(one.number == number for one in self._ours.assets)

    def _type_notes(self, one: OurAsset) -> list[str]:
        named = naming.type_name(one.asset.kind, self._types)
        if named is None:
            return ["the centre has no type of assets at all"]
        told = [f"its type is {named} there, {one.asset.kind} here"]
        return [] if named == one.asset.kind else told

    def _way(self, found: Found | None) -> tuple[Way, list[str]]:
        """What is done with what was found, and how it was found."""
        if found is None:
            return "make", []
        notes = [_BY[found.by]]
        if found.by != "name":
            return "find", notes
        whose = "; it is another gateway's or system's" if found.foreign else ""
        if self._same_name == "take-over" or (self._same_name == "adopt" and not found.foreign):
            return "find", [notes[0] + whose]
        if self._same_name == "ask":
            return "ask", [notes[0] + whose]
        return "make", ["another one has its name" + whose]

    def _of_sensor(self, asset: OurAsset, one: OurSensor) -> Iterator[Step]:
        if not one.roles and one.notes:
            yield replace(_bare(asset, one, ""), way="leave")
        for role in one.roles:
            yield self._sensor(asset, one, role)

    def _sensor(self, asset: OurAsset, one: OurSensor, role: str) -> Step:
        key: Key = ("sensor", one.number, role)
        bare = _bare(asset, one, role)
        if key in self._linked:
            return replace(bare, way="have", central_id=self._numbers[key])
        place = self._numbers.get(("asset", asset.number, ""))
        every: Mapping[int, Json] = {} if place is None else self._there.sensors(place)
        found = None
        if place is not None:
            found = self._there.sensor(one, role, self._ours.gateway, place, bare.name)
        if found is not None and found.number in self._taken("sensor"):
            found = None
        way, notes = self._way(found)
        if found is not None and way != "make":
            amiss = unlike(one, every[found.number])
            if not amiss:
                name, told = str(every[found.number].get("name")), (*notes, *one.notes)
                return replace(bare, name=name, way=way, central_id=found.number, notes=told)
            notes = [amiss]
        siblings = {each.placed.name for each in asset.sensors if role or each is not one}
        taken = siblings | {str(each.get("name")) for each in every.values()}
        free = naming.free_name(bare.name, taken, naming.SENSOR_NAME)
        told = (*notes, *_unit_notes(one), *_renamed(bare.name, free), *one.notes)
        return replace(bare, name=free, notes=told)


def _unit_notes(one: OurSensor) -> list[str]:
    unit = naming.unit_name(one.placed.unit)
    same = unit in (one.placed.unit, "dimensionless")
    return [] if same else [f"its unit is {unit} there, {one.placed.unit} here"]


def _renamed(name: str, free: str) -> list[str]:
    return [] if name == free else [f"it is called {free!r} there"]


def _step(
    one: OurAsset, name: str, way: Way, number: int | None, notes: Collection[str] = ()
) -> Step:
    return Step("asset", one.number, "", one.path, name, way, number, tuple(notes))


def _bare(asset: OurAsset, one: OurSensor, role: str) -> Step:
    name = naming.sensor_name(one.placed.name, role)
    path = f"{asset.path} / {name}"
    return Step("sensor", one.number, role, path, name, "make", None, one.notes)
