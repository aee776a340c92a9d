"""The site file in the tree of assets: what it defines is there, under numbers that stay."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel

from flexedge.config.sensors import AVAILABLE
from flexedge.domain.variable import DataReference
from flexedge.gateway.plant import Plant, Unit
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account, AssetType
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor

Json = dict[str, Any]
SITE: Final = ""
"""The site itself, as ``Asset.defined_as`` has it."""
_POWER: Final = "kW"
_OF_POWERS: Final = {"consumption_is_positive": True}
_OF_ALL: Final = frozenset({"name", "kind", "parent_id", "account_id", "defined_as"})
_OF_SITE: Final = _OF_ALL | {"latitude", "longitude", "flex_context"}
_OF_REST: Final = _OF_ALL | {"flex_model"}
_ANYWAY: Final = "inflexible-consumption"
_NOTHING: Final[frozenset[str]] = frozenset()


def fixed_fields(asset: Asset) -> frozenset[str]:
    """The fields of ``Asset`` that the site file defines: nobody else changes them."""
    if asset.defined_as is None:
        return _NOTHING
    return _OF_SITE if asset.defined_as == SITE else _OF_REST


def bring_in(plant: Plant, state: State) -> None:
    """Let the tree of assets say what the site file says. Writes only what is not there already.

    To be called when the sensors of the plant are registered. What is no longer defined stays, as
    if it had been made through the API; so do all fields that the file does not define. Raises
    ``StoreError``.
    """
    _Inventory(plant, state).bring_in()


class _Inventory:
    def __init__(self, plant: Plant, state: State) -> None:
        self._plant = plant
        self._state = state
        known = {sensor.name: number for number, sensor in state.sensors().items()}
        self._sensors = {name: known[name] for name in plant.sensors}
        self._assets: dict[str, int] = {}
        """Numbers by what the file calls them."""
        self._new: list[int] = []
        self._every = dict(state.assets.all())

    def bring_in(self) -> None:
        units = self._plant.units
        self._demand_types({unit.asset.type for unit in units})
        account = self._account()
        place = self._plant.site.site
        root = self._site(account)
        for unit in units:
            asset = Asset(unit.name, unit.asset.type, root, account, unit.name)
            self._keep(unit.name, asset)
        where = place.location
        context = _numbered(_context(self._plant), self._sensors, self._assets)
        self._change(root, latitude=where.latitude, longitude=where.longitude, flex_context=context)
        for unit in units:
            model = _numbered(_model(unit), self._sensors, self._assets)
            self._change(self._assets[unit.name], flex_model=model)
        for number, asset in list(self._every.items()):
            if asset.defined_as is not None and asset.defined_as not in self._assets:
                self._change(number, defined_as=None)
        self._place_sensors()
        for number in self._new:
            self._change(number, sensors_to_show=self._shown(number))

    def _demand_types(self, kinds: set[str]) -> None:
        known = {one.name for one in self._state.asset_types.all().values()}
        for kind in sorted(kinds - known):
            self._state.asset_types.add(AssetType(kind))

    def _account(self) -> int:
        """That of the site, or the first one, or a new one; called like the site."""
        accounts, name = self._state.accounts.all(), self._plant.site.site.name
        mine = (one.account_id for one in self._every.values() if one.defined_as == SITE)
        number = next((one for one in mine if one in accounts), next(iter(accounts), None))
        if number is None:
            return self._state.accounts.add(Account(name))
        if all(one.name != name for one in accounts.values()):
            self._state.accounts.change(number, replace(accounts[number], name=name))
        return number

    def _site(self, account: int) -> int:
        name = self._plant.site.site.name
        taken = any(
            (one.name, one.parent_id, one.account_id) == (name, None, account)
            for one in self._every.values()
            if one.defined_as != SITE
        )
        known = next((one for one in self._every.values() if one.defined_as == SITE), None)
        if known is not None and taken:  # somebody else's asset has that name
            name = known.name
        return self._keep(SITE, Asset(name, "building", None, account, SITE))

    def _keep(self, defined_as: str, wanted: Asset) -> int:
        """The number of what the file defines: known, or there under its name, or new."""
        place = (wanted.name, wanted.parent_id, wanted.account_id)
        number = next(
            (n for n, one in self._every.items() if one.defined_as == defined_as),
            next(
                (n for n, one in self._every.items()
                 if (one.name, one.parent_id, one.account_id) == place),
                None,
            ),
        )  # fmt: skip
        if number is None:
            number = self._state.assets.add(wanted)
            self._every[number] = wanted
            self._new.append(number)
        else:
            self._change(number, **{name: getattr(wanted, name) for name in _OF_ALL})
        self._assets[defined_as] = number
        return number

    def _change(self, number: int, **fields: Any) -> None:
        changed = replace(self._every[number], **fields)
        if changed != self._every[number]:
            self._state.assets.change(number, changed)
            self._every[number] = changed

    def _place_sensors(self) -> None:
        placed = self._state.placed.all()
        taken = {(one.asset_id, one.name): number for number, one in placed.items()}
        for key, number in self._sensors.items():
            asset, name = self._place_of(key)
            if taken.get((asset, name), number) != number:  # one made through the API
                name = f"{name} ({number})"
            there = placed.get(number)
            ours = _OF_POWERS if self._plant.sensors[key].unit == _POWER else {}
            attributes = {**({} if there is None else there.attributes), **ours}
            wanted = (asset, name, self._plant.site.site.timezone, attributes)
            if there is None or _place(there) != wanted:
                self._state.placed.place(number, *wanted)

    def _place_of(self, key: str) -> tuple[int, str]:
        """Whose a sensor is, and what it is called there; prices and the grid are the site's."""
        owner, _, rest = key.partition(".")
        if rest and owner != SITE and owner in self._assets:
            return self._assets[owner], rest
        return self._assets[SITE], key

    def _shown(self, asset: int) -> list[Json]:
        """Charts of a new asset: prices and powers of the site; of the rest power and storage."""
        name = self._every[asset].defined_as
        sensors = self._plant.sensors
        if name == SITE:
            powers = [key for key in sensors if key.endswith(".power")]
            charts = [("Prices", list(self._plant.site.prices)), ("Power", powers)]
        else:
            mine = [key for key in sensors if key.startswith(f"{name}.")]
            powers = [key for key in mine if key == f"{name}.power"]
            stored = [key for key in mine if key.rpartition(".")[2] == "soc"]
            charts = [("Power", powers), ("State of charge", stored)]
        return [
            {"title": title, "sensors": [self._sensors[key] for key in keys]}
            for title, keys in charts
            if keys
        ]


def _place(sensor: PlacedSensor) -> tuple[int, str, str, Json]:
    return sensor.asset_id, sensor.name, sensor.timezone, sensor.attributes


def _said(record: BaseModel) -> Json:
    """The fields that are given, as FlexMeasures calls and writes them."""
    said: Json = record.model_dump(
        mode="json", by_alias=True, exclude_unset=True, exclude_none=True
    )
    return said


def _model(unit: Unit) -> Json:
    """The flex-model, with what the type of the asset, its storage and its limits add."""
    return dict(_completed(unit)) | _said(unit.model) | _foreseen(unit)


def _foreseen(unit: Unit) -> Json:
    """What the sun may give bounds a solar asset, unless another sensor is said to."""
    given = unit.model.production_capacity
    if AVAILABLE not in unit.sensors or (
        isinstance(given, DataReference) and given.sensor != unit.power
    ):
        return {}
    return {"production-capacity": {"sensor": unit.sensors[AVAILABLE]}}


def _context(plant: Plant) -> Json:
    """The flex-context, with what happens without being planned, as far as it is measured."""
    said = _said(plant.context)
    listed = {
        one.sensor
        for one in (*plant.context.electricity.inflexible_consumption,
                    *plant.context.electricity.inflexible_production)
    }  # fmt: skip
    more = [
        {"sensor": unit.power}
        for unit in plant.units
        if plant.happens(unit) and unit.power in plant.sensors and unit.power not in listed
    ]
    if not more or plant.context.electricity is not plant.context:
        return said
    return {**said, _ANYWAY: [*said.get(_ANYWAY, []), *more]}


def _completed(unit: Unit) -> Iterator[tuple[str, Any]]:
    process = unit.asset.process
    told = unit.planned and "power" in unit.sensors
    if told and (unit.stores or process is not None):  # of PV the same sensor says what it could do
        yield "consumption", {"sensor": unit.power}
    if process is not None:
        yield "power", f"{process.power:g} kW"
        yield "duration", _said(process)["duration"]
        yield "process-type", process.process_type
    if process is not None or not unit.planned or unit.asset.type == "group":
        return
    low, high = unit.range_kw
    most = max(-low, high)
    if most < float("inf"):
        yield "power-capacity", f"{most:g} kW"
    if low >= 0 and not unit.virtual:
        yield "production-capacity", "0 kW"
    if high <= 0 and not unit.virtual:
        yield "consumption-capacity", "0 kW"
    if unit.stores and unit.soc_max_kwh is not None:
        yield "soc-min", f"{unit.soc_min_kwh:g} kWh"
        yield "soc-max", f"{unit.soc_max_kwh:g} kWh"


def _numbered(said: Any, sensors: Mapping[str, int], assets: Mapping[str, int]) -> Any:
    """The same with numbers of sensors and assets in the place of their names."""
    if isinstance(said, list):
        return [_numbered(one, sensors, assets) for one in said]
    if not isinstance(said, dict):
        return said
    told = {key: _numbered(value, sensors, assets) for key, value in said.items()}
    for key, numbers in (("sensor", sensors), ("asset", assets)):
        if isinstance(told.get(key), str) and told[key] in numbers:
            told[key] = numbers[told[key]]
    return told
