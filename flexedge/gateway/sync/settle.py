"""Sends the settings of assets and sensors: names, places, flex-models, charts, attributes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flexedge.cloud.central import Central, Json
from flexedge.errors import CentreRefused
from flexedge.gateway.sync import naming, sent
from flexedge.gateway.sync.build import attributes_of, place_of, sensor_attributes
from flexedge.gateway.sync.ours import OurAsset, Ours
from flexedge.gateway.sync.sent import Settings
from flexedge.gateway.sync.survey import Key
from flexedge.gateway.sync.translated import Numbers, Translator
from flexedge.store.tables.centres import Link

CHARTS: Final = "charts"
"""In the details of an asset's link: charts that it has at the centre alone, in its numbers."""
_OF_VALUES: Final = (400, 422)
"""What a server answers where it does not like what it was given."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The settings of one asset or sensor in the centre's numbers."""

    key: Key
    path: str
    settings: Settings
    left_out: tuple[str, ...] = ()
    """What they refer to here and the centre does not have: sensors by key, assets by name."""


def all_wanted(ours: Ours, links: Mapping[Key, Link], keys: Mapping[int, str]) -> Iterator[Wanted]:
    """What the settings of everything are to be there. ``keys``: of our sensors, by number."""
    numbers = Numbers(
        {key[1]: link.central_id for key, link in links.items() if key[0] == "asset"},
        {key[1:]: link.central_id for key, link in links.items() if key[0] == "sensor"},
    )
    names = {each.number: each.path for each in ours.assets}
    made = {key for key, link in links.items() if link.made}
    for one in ours.assets:
        key: Key = ("asset", one.number, "")
        attributes = attributes_of(one, ours.gateway, made=key in made)
        link = links.get(key)
        charts = [] if link is None else link.details.get(CHARTS, [])
        yield _of_asset(one, attributes, Translator(numbers), names, keys, charts)
        for sensor in one.sensors:
            for role in sensor.roles:
                key = ("sensor", sensor.number, role)
                name = naming.sensor_name(sensor.placed.name, role)
                attributes = sensor_attributes(sensor, role, ours.gateway, made=key in made)
                settings = sent.flat({"name": name, "attributes": attributes})
                yield Wanted(key, f"{one.path} / {name}", settings)


def _of_asset(
    one: OurAsset, attributes: Json, translator: Translator, names: Mapping[int, str],
    keys: Mapping[int, str], charts: list[Json],
) -> Wanted:  # fmt: skip
    asset = one.asset
    fields = {
        "name": asset.name[: naming.ASSET_NAME],
        **place_of(one),
        "attributes": attributes,
        "flex_context": translator.flex(asset.flex_context),
        "flex_model": translator.flex(asset.flex_model),
        "sensors_to_show": [*translator.charts(asset.sensors_to_show), *charts],
        "sensors_to_show_as_kpis": translator.charts(asset.sensors_to_show_as_kpis),
    }
    lost = [
        (keys if kind == "sensor" else names).get(number, f"{kind} {number}")
        for kind, number in sorted(translator.lost)
    ]  # fmt: skip
    return Wanted(("asset", one.number, ""), one.path, sent.flat(fields), tuple(lost))


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of sending settings."""

    link: Link
    """As it is to be kept now."""
    sent: tuple[str, ...] = ()
    """The settings that were sent and taken."""
    edited: tuple[str, ...] = ()
    """Settings that were changed here, and there as well: left as they are."""


def settle(central: Central, link: Link, now: Settings) -> Settled:
    """Send what changed of one thing's settings.

    What the centre refuses is left out, setting by setting. Raises ``CentreError``:
    ``CentreRefused`` 404 where it does not know the thing.
    """
    if not sent.changed(link, now):
        return Settled(link)
    look, change = _calls(central, link.thing)
    theirs = look(link.central_id)
    found = sent.difference(link, sent.flat(theirs), now)
    refused: dict[str, str] = {}
    if found.send:
        _Sender(link.central_id, change, refused).send(theirs, found.send)
        theirs = look(link.central_id)
    settled = (*found.there, *found.send)
    made = sent.noted(link, settled, now, sent.flat(theirs), refused)
    return Settled(made, tuple(one for one in found.send if one not in refused), found.edited)


def _calls(
    central: Central, thing: str
) -> tuple[Callable[[int], Json], Callable[[int, Json], None]]:
    if thing == "asset":
        return central.asset, central.change_asset
    return central.sensor, central.change_sensor


@dataclass(frozen=True, slots=True)
class _Sender:
    number: int
    change: Callable[[int, Json], None]
    refused: dict[str, str]

    def send(self, theirs: Json, changes: Settings) -> dict[str, Any]:
        """Send settings; where they are refused, parts of them. How the thing is after that."""
        fields = sent.body(theirs, changes)
        try:
            self.change(self.number, fields)
        except CentreRefused as error:
            if error.status not in _OF_VALUES:
                raise
            if len(changes) == 1:
                self.refused[next(iter(changes))] = error.message
                return dict(theirs)
            for part in _parts(changes, error.message):
                theirs = self.send(theirs, part)
            return dict(theirs)
        return {**theirs, **fields}


def _parts(changes: Settings, message: str) -> tuple[Settings, Settings]:
    """What a refusal does not name, and what it does; or halves where that says nothing."""
    named = {path for path in changes if path.rpartition(".")[2] in message}
    if not named or len(named) == len(changes):
        named = set(sorted(changes)[len(changes) // 2 :])
    return (
        {path: value for path, value in changes.items() if path not in named},
        {path: value for path, value in changes.items() if path in named},
    )
