"""Which sensors and fixed values the charts of an asset show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor

_FLEX: Final = {"flex-model": "flex_model", "flex-context": "flex_context"}


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fixed value of a flex-model or flex-context, shown as a line."""

    name: str
    unit: str
    value: float
    origin: str
    """ "flex-model" or "flex-context"."""
    asset_id: int
    asset_name: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart. Numbers below 0 mean fixed values."""

    title: str | None
    numbers: tuple[int, ...]
    axis: Any = "zero"
    """FlexMeasures' "y-axis": "zero", "data", [min, max] or {"min": min, "max": max}."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown, in order."""

    panels: tuple[Panel, ...] = ()
    sensors: Mapping[int, PlacedSensor] = field(default_factory=dict)
    fixed: Mapping[int, Fixed] = field(default_factory=dict)


def shown(state: State, number: int, asset: Asset, *, suggested: bool = True) -> Shown:
    """What an asset's ``sensors_to_show`` names; ``suggested``: else its first two sensors.

    Only sensors of the same account and public ones; others are left out. Raises ``StoreError``.
    """
    if not asset.sensors_to_show:
        return _suggested(state, number) if suggested else Shown()
    found = _Found(state, asset)
    for entry in asset.sensors_to_show:
        found.add(entry)
    return Shown(tuple(found.panels), found.sensors, found.fixed)


def _suggested(state: State, number: int) -> Shown:
    first = dict(list(state.placed.of(number).items())[:2])
    alike = len({one.unit for one in first.values()}) == 1
    panels = [Panel(None, tuple(first))] if alike else [Panel(None, (one,)) for one in first]
    return Shown(tuple(panels), first)


class _Found:
    """What was found so far."""

    def __init__(self, state: State, asset: Asset) -> None:
        self._state, self._account = state, asset.account_id
        self._assets: dict[int, Asset | None] = {}
        self.panels: list[Panel] = []
        self.sensors: dict[int, PlacedSensor] = {}
        self.fixed: dict[int, Fixed] = {}

    def add(self, entry: Any) -> None:
        numbers = tuple(dict.fromkeys(self._numbers(entry)))
        if numbers:
            told = entry if isinstance(entry, Mapping) else {}
            self.panels.append(Panel(told.get("title"), numbers, told.get("y-axis", "zero")))

    def _numbers(self, entry: Any) -> Iterator[int]:
        if isinstance(entry, int):
            yield from self._sensor(entry)
        elif isinstance(entry, list):
            for one in entry:
                yield from self._numbers(one)
        elif isinstance(entry, Mapping):
            for key in ("sensor", "sensors", "plots"):
                yield from self._numbers(entry.get(key))
            if isinstance(entry.get("asset"), int):
                yield from self._flex(entry)

    def _sensor(self, number: int) -> Iterator[int]:
        if number not in self.sensors:
            one = self._state.placed.get(number)
            owner = None if one is None else self._asset(one.asset_id)
            if one is None or owner is None or owner.account_id not in (None, self._account):
                return
            self.sensors[number] = one
        yield number

    def _flex(self, plot: Mapping[str, Any]) -> Iterator[int]:
        asset = self._asset(plot["asset"])
        if asset is None or asset.account_id not in (None, self._account):
            return
        for origin, attribute in _FLEX.items():
            name = plot.get(origin)
            value = getattr(asset, attribute).get(name) if isinstance(name, str) else None
            if isinstance(value, Mapping):
                yield from self._numbers({"sensor": value.get("sensor")})
            elif isinstance(value, str) and (parts := _quantity(value)) is not None:
                number = -len(self.fixed) - 1
                self.fixed[number] = Fixed(
                    f"{name} ({asset.name})", parts[1], parts[0], origin, plot["asset"], asset.name
                )
                yield number

    def _asset(self, number: int) -> Asset | None:
        if number not in self._assets:
            self._assets[number] = self._state.assets.get(number)
        return self._assets[number]


def _quantity(text: str) -> tuple[float, str] | None:
    number, _, unit = text.strip().partition(" ")
    if not unit and number.endswith("%"):
        number, unit = number[:-1], "%"
    try:
        return float(number), unit
    except ValueError:
        return None
