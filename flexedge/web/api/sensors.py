"""One sensor: made, told, changed, deleted."""

from dataclasses import replace
from functools import partial
from typing import Any, Final

from flexedge.gateway.service import tree
from flexedge.gateway.service.removal import remove_sensor
from flexedge.store.archive import Asked
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.op import Call, On, Op, Reply, forbidden, invalid
from flexedge.web.api.owned import defined_elsewhere
from flexedge.web.api.parts import Parts
from flexedge.web.api.tags import demand_seen
from flexedge.web.api.told import authority, entry, given_in, sensor_told
from flexedge.wire.sensors import (
    NewSensor,
    SensorChange,
    SensorShown,
    SensorTold,
    resolution_text,
)

_NAMES: Final = {"event_resolution": "resolution"}
_OF_THE_SITE: Final = ("name", "unit", "resolution", "timezone")
_SIGN: Final = "consumption_is_positive"
_OF_THE_DATA: Final = {"unit": "unit", "resolution": "event_resolution"}


def operations(parts: Parts) -> tuple[Op, ...]:
    """What can be asked of one sensor."""
    sensors = Sensors(parts)
    path = "/api/v3_0/sensors"
    return (
        Op(method="POST", path=path, run=sensors.add, tag="Sensors", scope="manage",
           summary="Create a sensor", body=NewSensor, answers={201: SensorTold}),
        Op(method="GET", path=f"{path}/{{id}}", run=sensors.get, tag="Sensors",
           summary="Fetch a sensor", on=On("sensor", "read"), answers={200: SensorShown}),
        Op(method="PATCH", path=f"{path}/{{id}}", run=sensors.change, tag="Sensors",
           scope="manage", summary="Update a sensor", on=On("sensor", "update"),
           body=SensorChange, answers={200: SensorShown, 412: dict[str, Any]}),
        Op(method="DELETE", path=f"{path}/{{id}}", run=sensors.delete, tag="Sensors",
           scope="manage", summary="Delete a sensor and its data", on=On("sensor", "delete"),
           answers={204: None}),
    )  # fmt: skip


class Sensors:
    """Makes, tells, changes and deletes sensors."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._state = parts.state

    def get(self, call: Call[None, None]) -> Reply:
        """The sensor that was found."""
        return _shown(call, call.found)

    def add(self, call: Call[None, NewSensor]) -> Reply:
        """Make a sensor of an asset."""
        body, asset_id = call.body, call.body.generic_asset_id
        asset = self._state.assets.get(asset_id)
        if asset is None:
            invalid({"generic_asset_id": [f"Generic asset with id {asset_id} doesn't exist."]})
        self._parts.demand(call.caller, "create-children", self._parts.thing(asset))
        self._demand_name(asset_id, body.name)
        zone = body.timezone or self._zone()
        attributes = body.attributes or {}
        key = tree.sensor_key(asset_id, body.name, self._parts.beliefs.sensors)
        placed = PlacedSensor(
            key, asset_id, body.name, body.unit, body.event_resolution, zone, None, attributes
        )
        number = self._parts.beliefs.register(placed.sensor)
        self._state.placed.place(number, asset_id, body.name, zone, attributes)
        self._note(call, f"Created sensor '{body.name}': {number}", asset_id, asset)
        told = sensor_told(number, placed, authority(call.headers.get("host"), call.now))
        return Reply(told, 201)

    def change(self, call: Call[None, SensorChange]) -> Reply:
        """Change what is given of the sensor that was found."""
        demand_seen(call.headers, lambda: _shown(call, call.found))
        given = given_in(call.body)
        wrong = {name: ["Field may not be null."] for name, value in given.items() if value is None}
        if wrong:
            invalid(wrong)
        had: PlacedSensor = call.found
        new = replace(had, **{_NAMES.get(name, name): value for name, value in given.items()})
        changed = [name for name in ("name", *_OF_THE_SITE[1:], "attributes")
                   if getattr(new, name) != getattr(had, name)]  # fmt: skip
        self._demand_changeable(had, new, changed)
        if changed:
            if new.sensor != had.sensor:
                self._parts.beliefs.register(
                    replace(self._parts.beliefs.sensor(had.key), unit=new.unit,
                            resolution=new.resolution)
                )  # fmt: skip
            self._state.placed.place(
                call.number, had.asset_id, new.name, new.timezone, new.attributes
            )
            said = "; ".join(_difference(name, had, new) for name in changed)
            what = f"Updated sensor '{had.name}': {call.number}. Updated fields: {said}"
            self._note(call, what, had.asset_id, self._state.assets.get(had.asset_id))
        return _shown(call, new)

    def delete(self, call: Call[None, None]) -> Reply:
        """Delete the sensor that was found, and its data."""
        if tree.is_defined(call.found):
            forbidden(defined_elsewhere(f"The sensor '{call.found.name}'"))
        note = partial(entry, call)
        beliefs = self._parts.beliefs
        remove_sensor(self._state, beliefs, (call.number, call.found), note, call.now)
        return Reply(status=204)

    def _demand_changeable(self, had: PlacedSensor, new: PlacedSensor, changed: list[str]) -> None:
        for name in changed:
            if name in _OF_THE_SITE and tree.is_defined(had):
                told = _OF_THE_DATA.get(name, name)
                forbidden(defined_elsewhere(f"The {told} of the sensor '{had.name}'"))
        signs = (one.attributes.get(_SIGN) for one in (had, new))
        if tree.is_defined(had) and len({*signs}) > 1:
            forbidden(defined_elsewhere(f"The sign of the sensor '{had.name}' ({_SIGN})"))
        if "name" in changed:
            self._demand_name(had.asset_id, new.name)
        of_data = [told for name, told in _OF_THE_DATA.items() if name in changed]
        if of_data and self._parts.beliefs.statistics((had.key,), Asked(())):
            said = (
                "The sensor has data, which would mean something else then: delete them first, or "
                "make another sensor."
            )
            invalid({told: [said] for told in of_data})

    def _demand_name(self, asset_id: int, name: str) -> None:
        if any(one == name for _, one in self._state.placed.names([asset_id]).get(asset_id, ())):
            invalid({
                "name": [f"A sensor with the name '{name}' already exists on asset {asset_id}."]
            })  # fmt: skip

    def _note(self, call: Call[Any, Any], what: str, asset_id: int, asset: Asset | None) -> None:
        if asset is not None:
            self._state.audit.add(entry(call, what, asset_id, asset))

    def _zone(self) -> str:
        """The time zone of the site, or UTC."""
        window = self._parts.window
        return "UTC" if window is None else window.status().timezone


def _shown(call: Call[Any, Any], sensor: PlacedSensor) -> Reply:
    told = sensor_told(call.number, sensor, authority(call.headers.get("host"), call.now))
    return Reply(SensorShown.model_construct(**dict(told), status=200))


def _difference(name: str, had: PlacedSensor, new: PlacedSensor) -> str:
    old, now = getattr(had, name), getattr(new, name)
    if name == "resolution":
        old, now = resolution_text(old), resolution_text(now)
    told = _OF_THE_DATA.get(name, name)
    return f"Field name: {told}, Old value: {old}, New value: {now}"
