"""What is stored, as a request to the optimisation asks for it: sensors and assets by number.

In a request a sensor is called by its number; what the site file defines also by its key.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from flexedge.domain.asset import Source as Speaker
from flexedge.domain.series import TimeGrid
from flexedge.optim.request import believed
from flexedge.optim.request.believed import Believer, Filter
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.source import Asset, Points, Sensor, Span
from flexedge.store import rows
from flexedge.store.archive import Asked
from flexedge.store.beliefs import Beliefs
from flexedge.store.placing import us
from flexedge.store.rows import moment
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset as StoredAsset
from flexedge.store.tables.placed import PlacedSensor

Json = dict[str, Any]
_LONGEST_NUMBER = 9  # digits
_LISTS = ("inflexible-device-sensors", "inflexible_device_sensors")
_ALONE = ("sensor", "consumption-price-sensor", "production-price-sensor",
          "consumption_price_sensor", "production_price_sensor")  # fmt: skip
_OUTPUTS = ("consumption", "production", "state-of-charge", "aggregate-consumption",
            "aggregate-production", "aggregate-power")  # fmt: skip
_REFERENCE = {"sensor", "default", *believed.FILTERS}


def mentioned(said: Any) -> set[str]:
    """Every sensor that a flex-model or flex-context refers to, as it is called there."""
    found: set[str] = set()
    for _, one in _objects(said):
        for key, value in one.items():
            if key in _ALONE and isinstance(value, int | str) and not isinstance(value, bool):
                found.add(str(value))
            if key in _LISTS and isinstance(value, list):
                found |= {str(item) for item in value if isinstance(item, int | str)}
    return found


def _needed(said: Any) -> set[str]:
    """Those whose values are needed: not those that a schedule is for."""
    objects = list(_objects(said))
    refers = [one for key, one in objects if key not in _OUTPUTS and set(one) <= _REFERENCE]
    others = [{key: value for key, value in one.items() if key != "sensor"} for _, one in objects]
    flat = [{key: value for key, value in one.items() if key in (*_ALONE, *_LISTS)}
            for one in others]  # fmt: skip
    return mentioned([*refers, *flat])


def _objects(said: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object, however deep, with the key under which it or its list stands."""
    left = [("", said)]
    while left:
        key, one = left.pop()
        if isinstance(one, Mapping):
            yield key, one
            left += one.items()
        elif isinstance(one, list):
            left += [(key, item) for item in one]


class Sensors(Mapping[str, Sensor]):
    """The sensors of some assets by number; others are found when they are asked for."""

    def __init__(
        self, state: State, assets: Mapping[int, StoredAsset], near: Iterable[int]
    ) -> None:
        self._state = state
        self._assets = assets
        self.placed: dict[int, PlacedSensor] = dict(state.placed.of(*near))

    def __getitem__(self, name: str) -> Sensor:
        number = self.number(name)
        if number is None:
            raise KeyError(name)
        placed = self.placed[number]
        above = self._assets.get(placed.asset_id)
        own = placed.attributes
        positive = own.get("consumption_is_positive")
        return Sensor(
            str(number),
            placed.unit,
            placed.resolution,
            str(placed.asset_id),
            None if above is None else above.kind,
            own if above is None else {**above.attributes, **own},
            None if positive is None else bool(positive),
        )

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.number(name) is not None

    def __iter__(self) -> Iterator[str]:
        return (str(number) for number in self.placed)

    def __len__(self) -> int:
        return len(self.placed)

    def number(self, name: str) -> int | None:
        """The number of a sensor that is called by it or by its key; None if there is none."""
        if name.isascii() and name.isdigit():
            number = int(name) if len(name) <= _LONGEST_NUMBER else -1
        else:
            known = self._state.sensors().items()
            number = next((one for one, sensor in known if sensor.name == name), -1)
        if number not in self.placed:
            placed = self._state.placed.get(number)
            if placed is None:
                return None
            self.placed[number] = placed
        return number


class Stored:
    """A source over what is stored, for one request. Raises ``StoreError``.

    ``asset`` is the one that a schedule is asked for; ``said`` names sensors whose values will be
    needed, so that they are read together. What is believed from a later moment than ``now`` on
    counts for those only who ask as of then.
    """

    def __init__(
        self, state: State, beliefs: Beliefs, asset: int, said: Any, now: datetime
    ) -> None:
        self._now = now
        every = state.assets.all()
        self.kind = every[asset].kind if asset in every else ""
        family = _family(every, asset)
        self._beliefs = beliefs
        self._sources = state.sources()
        self._assets = {str(number): _asset(number, every[number]) for number in family}
        self._sensors = Sensors(state, every, family)
        stored = [(one.flex_model.data, one.flex_context.data) for one in self._assets.values()]
        names = _needed([said, *map(list, stored)])
        self._wanted = {n for name in names if (n := self._sensors.number(name)) is not None}
        self._read: dict[tuple[Span | None, datetime | None], dict[int, rows.Beliefs]] = {}

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """Sensors by number."""
        return self._sensors

    @property
    def assets(self) -> Mapping[str, Asset]:
        """The asset, all above and all below it, by number."""
        return self._assets

    def number(self, name: str) -> int:
        """The number of a sensor that is known to be there."""
        return self._sensors.number(name) or 0

    def placed(self, name: str) -> PlacedSensor:
        """A sensor that is known to be there, as the API knows it."""
        return self._sensors.placed[self.number(name)]

    def points(
        self,
        sensor: str,
        prior: datetime | None,
        only: Filter = believed.ALL,
        span: Span | None = None,
    ) -> Points | None:
        """What some sources believed at a moment; of several the one believed last counts."""
        number = self._sensors.number(sensor)
        if number is None:
            return None
        held = self._held(number, prior, span)
        placed = self._sensors.placed[number]
        numbers = np.unique(held.source).tolist() if only != believed.ALL else []
        if only != believed.ALL:
            admitted = [one for one in numbers if admits(only, one, self._sources[one])]
            held = held.take(np.isin(held.source, admitted))
        if not len(held):
            return None
        return latest(held, placed)

    def _held(self, number: int, prior: datetime | None, span: Span | None) -> rows.Beliefs:
        """What is held about a sensor; what others will be asked for is read with it."""
        known = self._read.setdefault((span, prior), {})
        if number not in known:
            together = {number} | ({n for n in self._wanted if n not in known} if span else set())
            known |= self._ask(together, prior, span)
        return known[number]

    def _ask(
        self, numbers: set[int], prior: datetime | None, span: Span | None
    ) -> dict[int, rows.Beliefs]:
        placed = {number: self._sensors.placed[number] for number in numbers}
        start, end = span or (None, None)
        if start is not None:
            start -= max(one.resolution for one in placed.values())  # an event that began before
        asked = Asked((), start, end, believed_until=prior or self._now)
        found = self._beliefs.ask([one.key for one in placed.values()], asked)
        return {number: found.take(found.sensor == number) for number in numbers}


def _family(every: Mapping[int, StoredAsset], asset: int) -> list[int]:
    """An asset, those above it, and those below it."""
    children: dict[int | None, list[int]] = {}
    for number, one in every.items():
        children.setdefault(one.parent_id, []).append(number)
    found, above = [], every.get(asset)
    seen = {asset}
    while above is not None and above.parent_id is not None and above.parent_id not in seen:
        seen.add(above.parent_id)
        found.append(above.parent_id)
        above = every.get(above.parent_id)
    left = [asset] if asset in every else []
    while left:
        number = left.pop(0)
        found.append(number)
        left += children.get(number, [])
    return found


def _asset(number: int, asset: StoredAsset) -> Asset:
    path = f"assets.{number}"
    return Asset(
        str(number),
        None if asset.parent_id is None else str(asset.parent_id),
        Fields(asset.flex_model, f"{path}.flex-model"),
        Fields(asset.flex_context, f"{path}.flex-context"),
        asset.attributes,
    )


def admits(only: Filter, number: int, source: Speaker) -> bool:
    """Whether a source counts, which can be called by its name or its number."""
    return any(
        only.admits(Believer(name, source.kind, source.account or ""))
        for name in (source.name, str(number))
    )


def latest(held: rows.Beliefs, placed: PlacedSensor) -> Points:
    """The last belief about each event, and of several probabilities the middle one."""
    unlike = -np.abs(held.probability - 0.5)
    order = np.lexsort((unlike, held.source, held.belief_us, held.event_us))
    events = held.event_us[order]
    last = np.append(events[1:] != events[:-1], [True])
    events, values = events[last], held.value[order][last]
    step = us(placed.resolution)
    if step <= 0:
        return Points(tuple(map(moment, events)), values, placed.resolution, placed.unit)
    slots = (events - events[0]) // step
    whole = np.full(int(slots[-1]) + 1, np.nan)
    whole[slots] = values
    grid = TimeGrid(moment(events[0]), placed.resolution, len(whole))
    return Points(tuple(grid.times()), whole, placed.resolution, placed.unit)
