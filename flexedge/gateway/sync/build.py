"""Makes our assets and sensors at a centre, or links those that are there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from flexedge.cloud.central import Central, Json
from flexedge.errors import CentreRefused
from flexedge.gateway.sync import naming
from flexedge.gateway.sync.ours import SOURCE_TYPES, OurAsset, Ours, OurSensor
from flexedge.gateway.sync.seen import SPECS, status_specs
from flexedge.gateway.sync.sent import flat, is_gone, noted
from flexedge.gateway.sync.steps import SameName, Step
from flexedge.gateway.sync.survey import Key, Survey
from flexedge.gateway.sync.there import MARK, There, mark_of, resolution_of
from flexedge.store.state import State
from flexedge.store.tables.centres import Link
from flexedge.wire.sensors import resolution_text

_MADE: Final = "made"
_HIDDEN: Final = ("flexedge",)
"""How attributes begin that are not for others."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What is worked with: our state, one centre, and what is ours."""

    state: State
    central: Central
    centre_id: int
    account_id: int
    ours: Ours
    same_name: SameName
    left_out: frozenset[str]
    """What was refused before, by ``name_of``: not tried again."""


def links_of(state: State, centre_id: int) -> dict[Key, Link]:
    """The links with a centre, by what they link."""
    return {
        (one.thing, one.local_id, one.role): one
        for one in state.links.find(centre_id=centre_id).values()
    }


def name_of(step: Step) -> str:
    """What is told as refused: "sensor Home / battery / power forecast"."""
    return f"{step.thing} {step.path}"


def missing(bench: Bench) -> list[Key]:
    """What is ours and neither linked nor refused."""
    known = links_of(bench.state, bench.centre_id)
    return [
        key for key, name in every(bench.ours) if key not in known and name not in bench.left_out
    ]  # fmt: skip


def every(ours: Ours) -> Iterator[tuple[Key, str]]:
    """All that is to be linked, with how it is told of."""
    for one in ours.assets:
        yield ("asset", one.number, ""), f"asset {one.path}"
        for sensor in one.sensors:
            for role in sensor.roles:
                name = naming.sensor_name(sensor.placed.name, role)
                yield ("sensor", sensor.number, role), f"sensor {one.path} / {name}"


@dataclass(slots=True)
class Built:
    """What became of one step."""

    step: Step
    told: str = ""
    refused: str = ""


class Builder:
    """Makes what is missing, one request after the other; a link is kept right after each.

    Cut between the two, what was made is found again by its external id or mark.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._types = dict(bench.central.asset_types())
        self._there = There(bench.central, bench.account_id)
        known = links_of(bench.state, bench.centre_id)
        self._links = {key: link for key, link in known.items() if not is_gone(link)}
        self._gone = {key for key, link in known.items() if is_gone(link)}
        self._survey = Survey(
            bench.ours, self._there, self._links, self._types.keys(), bench.same_name
        )
        self._assets = {one.number: one for one in bench.ours.assets}
        self._sensors = {
            sensor.number: (one, sensor) for one in bench.ours.assets for sensor in one.sensors
        }

    def run(self) -> Iterator[Built]:
        """Each step that is done. What is below what is not there is left out.

        Raises ``CentreError`` but for what the centre refuses of a step, and ``StoreError``.
        """
        for step in self._survey.steps():
            if step.way in ("have", "leave") or self._is_left_out(step):
                continue
            if step.way == "ask":
                yield Built(step)
                return
            try:
                yield self._done(step)
            except CentreRefused as error:
                yield Built(step, refused=_words(error))

    def _is_left_out(self, step: Step) -> bool:
        if name_of(step) in self._bench.left_out or self._key(step) in self._gone:
            return True
        if step.thing == "sensor":
            asset, _ = self._sensors[step.local_id]
            return ("asset", asset.number, "") not in self._links
        above = self._assets[step.local_id].asset.parent_id
        inside = above in self._assets
        return inside and ("asset", above or 0, "") not in self._links

    def _key(self, step: Step) -> Key:
        return step.thing, step.local_id, step.role

    def _done(self, step: Step) -> Built:
        number, made = step.central_id, step.central_id is None
        if number is None:
            number = self._make_asset(step) if step.thing == "asset" else self._make_sensor(step)
        else:
            made = self._mark(step, number)
        details = self._details(step, number)
        link = Link(
            self._bench.centre_id, step.thing, step.local_id, number, step.role, made, details
        )
        if made and step.thing == "sensor":
            link = self._settled(step, link)
        self._bench.state.links.add(link)
        self._links[self._key(step)] = link
        self._survey.settle(step, number)
        how = "made" if step.central_id is None else "found"
        return Built(step, f"{how} {step.thing} {step.path}")

    def _settled(self, step: Step, link: Link) -> Link:
        """Of a sensor that was made just now nothing is to be sent any more."""
        _, one = self._sensors[step.local_id]
        attributes = sensor_attributes(one, step.role, self._bench.ours.gateway, made=True)
        name = naming.sensor_name(one.placed.name, step.role)
        now = flat({"name": name, "attributes": attributes})
        shown = flat({"name": step.name, "attributes": attributes})
        return noted(link, now, now, shown, {})

    def _mark(self, step: Step, number: int) -> bool:
        """Let what was found say that it is ours, where it does not yet; whether we made it."""
        gateway, change = self._bench.ours.gateway, self._bench.central.change_sensor
        wanted: dict[str, Any] = {}
        if step.thing == "asset":
            one, theirs = self._assets[step.local_id], self._there.assets[number]
            made = _was_made(theirs, gateway)
            kept = attributes_of(one, gateway, made=made)
            wanted["external_id"] = one.external_id
            change = self._bench.central.change_asset
        else:
            asset, sensor = self._sensors[step.local_id]
            theirs = self._there.sensors(self._links["asset", asset.number, ""].central_id)[number]
            made = _was_made(theirs, gateway)
            kept = sensor_attributes(sensor, step.role, gateway, made=made)
        had = theirs.get("attributes")
        wanted["attributes"] = {**(had if isinstance(had, Mapping) else {}), MARK: kept[MARK]}
        if any(theirs.get(name) != value for name, value in wanted.items()):
            change(number, wanted)
        return made

    def _make_asset(self, step: Step) -> int:
        one = self._assets[step.local_id]
        kind = naming.type_name(one.asset.kind, self._types.keys())
        fields: dict[str, Any] = {
            "name": step.name,
            "account_id": self._bench.account_id,
            "generic_asset_type_id": self._types.get(kind or ""),
            "external_id": one.external_id,
            "attributes": attributes_of(one, self._bench.ours.gateway, made=True),
        }
        parent = self._links.get(("asset", one.asset.parent_id or 0, ""))
        if parent is not None:
            fields["parent_asset_id"] = parent.central_id
        fields |= {
            name: value for name, value in place_of(one).items() if value is not None
        }  # fmt: skip
        number = self._bench.central.add_asset(fields)
        self._there.made_asset(number, fields)
        return number

    def _make_sensor(self, step: Step) -> int:
        asset, one = self._sensors[step.local_id]
        place = self._links["asset", asset.number, ""].central_id
        fields = {
            "name": step.name,
            "unit": naming.unit_name(one.placed.unit),
            "event_resolution": resolution_text(one.resolution),
            "generic_asset_id": place,
            "timezone": one.placed.timezone,
            "attributes": sensor_attributes(one, step.role, self._bench.ours.gateway, made=True),
        }
        number = self._bench.central.add_sensor(fields)
        self._there.made_sensor(number, place, fields)
        return number

    def _details(self, step: Step, number: int) -> dict[str, Any]:
        """Of a sensor, what its values are there, and in which unit ours are to be posted."""
        if step.thing == "asset":
            return {}
        asset, one = self._sensors[step.local_id]
        place = self._links["asset", asset.number, ""].central_id
        theirs = self._there.sensors(place)[number]
        resolution = resolution_of(theirs)
        return {
            "asset": place,
            "unit": str(theirs.get("unit")),
            "posted": naming.unit_name(one.placed.unit),
            "resolution": (one.resolution if resolution is None else resolution) / _SECOND,
        }


_SECOND: Final = timedelta(seconds=1)


def place_of(one: OurAsset) -> Mapping[str, Any]:
    """Description and place of an asset, as FlexMeasures takes them."""
    asset = one.asset
    return {
        "description": asset.description,
        "latitude": None if asset.latitude is None else round(asset.latitude, 7),
        "longitude": None if asset.longitude is None else round(asset.longitude, 7),
    }


def attributes_of(one: OurAsset, gateway: str, *, made: bool) -> dict[str, Any]:
    """The attributes of an asset for the centre, with the mark that says whose it is.

    ``made``: whether it was made by us, for good: it may be deleted with ``unlink``.
    """
    mark = {"gateway": gateway, "asset": one.external_id, "type": one.asset.kind, _MADE: made}
    return {**_open(one.asset.attributes), MARK: mark}


def sensor_attributes(one: OurSensor, role: str, gateway: str, *, made: bool) -> dict[str, Any]:
    """The attributes of a sensor for the centre, with the mark that says whose it is."""
    mark = {
        "gateway": gateway, "sensor": one.placed.key, "role": role,
        "source-type": SOURCE_TYPES[role], _MADE: made,
    }  # fmt: skip
    specs = status_specs(role, one.resolution, one.every)
    return {SPECS: specs, **_open(one.placed.attributes), MARK: mark}


def _was_made(theirs: Json, gateway: str) -> bool:
    mark = mark_of(theirs)
    return mark.get("gateway") == gateway and mark.get(_MADE) is True


def _open(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in attributes.items() if not key.startswith(_HIDDEN)}


def _words(error: CentreRefused) -> str:
    if error.status == 403:  # noqa: PLR2004 - forbidden
        return f"{error.message} (the user needs the role account-admin there)"
    return error.message
