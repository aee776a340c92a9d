"""Assets and sensors that go: with all that is below them, their data, and what refers to them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from flexedge.gateway.service import tree
from flexedge.gateway.service.references import Kind, followed
from flexedge.store.beliefs import Beliefs
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.placed import PlacedSensor

Note = Callable[[str, int, Asset], Entry]
"""An entry of the audit log that says something about an asset."""
_REFERRING: Final = {
    "flex_model": "flex-model", "flex_context": "flex-context",
    "sensors_to_show": "sensors-to-show", "sensors_to_show_as_kpis": "sensors-to-show-as-kpis",
}  # fmt: skip


def remove_asset(state: State, beliefs: Beliefs, number: int, note: Note, now: datetime) -> None:
    """Remove an asset, all below it, their sensors and the data of these."""
    assets = state.assets.all()
    gone = tree.below(assets, number)
    sensors = state.placed.of(*gone)
    left = {key: one for key, one in assets.items() if key not in set(gone)}
    what = f"asset reference '{assets[number].name}': {number}"
    entries = _forget(state, left, {"asset": gone, "sensor": sensors}, (what, "asset"), note)
    state.assets.remove(number, now)
    for sensor in sensors.values():
        beliefs.delete(sensor.key, None, None, None)
    asset = assets[number]
    state.audit.add(*entries, note(f"Deleted asset '{asset.name}': {number}", number, asset))


def remove_sensor(
    state: State, beliefs: Beliefs, gone: tuple[int, PlacedSensor], note: Note, now: datetime
) -> None:
    """Remove a sensor and its data."""
    number, sensor = gone
    assets = state.assets.all()
    what = f"sensor reference '{sensor.name}': {number}"
    entries = _forget(state, assets, {"sensor": [number]}, (what, "sensor"), note)
    state.placed.remove(number, now)
    beliefs.delete(sensor.key, None, None, None)
    said = f"Deleted sensor '{sensor.name}': {number}"
    state.audit.add(*entries, note(said, sensor.asset_id, assets[sensor.asset_id]))


def _forget(
    state: State,
    assets: Mapping[int, Asset],
    gone: Mapping[Kind, Collection[int]],
    words: tuple[str, str],
    note: Note,
) -> list[Entry]:
    """Take references to what goes out of the assets that stay; what is to be said of that."""
    what, kind = words

    def follow(one: Kind, number: int) -> int | None:
        return None if number in gone.get(one, ()) else number

    entries = []
    for number, asset in assets.items():
        new = {name: followed(getattr(asset, name), follow) for name in _REFERRING}
        changed = [name for name, value in new.items() if value != getattr(asset, name)]
        if changed:
            state.assets.change(number, replace(asset, **new))
        entries += [
            note(
                f"Removed {what} from {_REFERRING[name]} (because {kind} has been deleted).",
                number,
                asset,
            )
            for name in changed
        ]
    return entries
