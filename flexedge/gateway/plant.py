"""The site as the gateway works with it: which sensor is which point, what each asset can do."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from flexedge.config.coming import Coming, coming
from flexedge.config.sensors import SensorOrigin
from flexedge.config.site import VIRTUAL, Asset, Site
from flexedge.domain.asset import Sensor
from flexedge.domain.context import FlexContext
from flexedge.domain.flex import ELECTRICITY, FlexModel
from flexedge.domain.variable import DataReference, fixed
from flexedge.drivers.driver import ControlPoint, Driver

GRID = "grid"
_STORES = ("battery", "one-way_evse", "two-way_evse", "heat-storage")
_VEHICLES = ("one-way_evse", "two-way_evse")
_AT_LEAST = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Unit:
    """One asset, resolved: its config, its device's control point, its sensors.

    ``sensors`` maps a quantity ("power", "soc", "plugged") to a sensor's name where there is one.
    """

    name: str
    asset: Asset
    control: ControlPoint | None
    """None where the asset is not to be, or cannot be, controlled."""
    sensors: Mapping[str, str]
    keeper: Asset
    """The asset that describes its storage: itself, or another one that feeds the same."""
    soft: tuple[bool, bool] = (False, False)
    """Whether the site lets its consumption- and production-capacity be exceeded at a price."""
    full_kwh: float | None = None
    """What it holds at 100 %, whatever part of that may be used; None for what does not store."""

    @property
    def model(self) -> FlexModel:
        """The asset's flex-model."""
        return self.asset.flex_model

    @property
    def stores(self) -> bool:
        """Whether it stores energy; not what only makes heat of electricity for others."""
        only_converts = self.model.coupling is not None and self.model.soc_max is None
        return self.asset.type in _STORES and not only_converts

    @property
    def virtual(self) -> bool:
        """Whether it is planned although nobody can tell it anything: it follows from others."""
        if self.asset.type in VIRTUAL:
            return True
        return self.asset.device is None and self.stores and not self.electric

    @property
    def planned(self) -> bool:
        """Whether the optimisation decides its power."""
        return self.control is not None or self.virtual

    @property
    def electric(self) -> bool:
        """Whether its power flows through the site's electricity meter."""
        return self.model.commodity == ELECTRICITY and self.asset.type not in VIRTUAL

    @property
    def vehicle(self) -> bool:
        """Whether it is a charger, whose storage comes and goes."""
        return self.asset.type in _VEHICLES

    @property
    def power(self) -> str:
        """The name of its power sensor."""
        return f"{self.name}.power"

    @property
    def soc_min_kwh(self) -> float:
        """The lowest state of charge to plan for."""
        return self.keeper.flex_model.soc_min or 0.0

    @property
    def soc_max_kwh(self) -> float | None:
        """The highest state of charge; None for what does not store."""
        if self.keeper.flex_model.soc_max is not None:
            return self.keeper.flex_model.soc_max
        buffer = self.keeper.heat_buffer
        return None if buffer is None else buffer.capacity_kwh

    @property
    def least_kw(self) -> float:
        """The least power above zero it can do; a machine on a switch knows only one."""
        if self.asset.process is not None:
            return self.asset.process.power
        least = 0.0 if self.control is None else self.control.least_kw
        return max(least, self.model.minimum_power or 0.0)

    @property
    def range_kw(self) -> tuple[float, float]:
        """Most production (negative) and most consumption: the tightest of all who say so."""
        low, high = -float("inf"), float("inf")
        for limits in (self.asset.limits.range, self.control and self.control.range_kw):
            if limits:
                low, high = max(low, limits[0]), min(high, limits[1])
        model = self.model
        most = fixed(model.power_capacity)
        if most is not None:
            low, high = max(low, -most), min(high, most)
        down, up = self._directions()
        low, high = max(low, -down), min(high, up)
        if self.asset.type in ("one-way_evse", "heat-storage", "building", "process"):
            low = max(low, 0.0)
        if self.asset.type == "solar":
            high = min(high, 0.0)
        return low, high

    def _directions(self) -> tuple[float, float]:
        """The fixed hard capacities of giving and drawing.

        Where only one direction has a capacity, which is not zero, the other has none: as
        FlexMeasures understands it.
        """
        up, down = self.model.consumption_capacity, self.model.production_capacity
        if up is not None and down is None and _flows(up):
            down = 0.0
        elif down is not None and up is None and _flows(down):
            up = 0.0
        hard = [
            capacity if isinstance(capacity, float) and not (soft and capacity) else float("inf")
            for capacity, soft in ((down, self.soft[1]), (up, self.soft[0]))
        ]
        return hard[0], hard[1]


def _flows(capacity: float | DataReference) -> bool:
    return isinstance(capacity, DataReference) or capacity > 0


@dataclass(slots=True)
class Plant:
    """Everything on site, resolved. Only ``become`` changes anything in it."""

    site: Site
    """As it is now: the site file with the edits that are laid over it."""
    zone: ZoneInfo
    currency: str
    units: tuple[Unit, ...]
    sensors: Mapping[str, Sensor]
    """Every sensor by its name, those of prices and derived ones included."""
    sensor_of: Mapping[tuple[str, str], str]
    """(device, point) to sensor."""
    every: Mapping[str, timedelta]
    """How often a sensor is read."""
    coming: Mapping[str, Coming] = field(default_factory=dict)
    """Sensors whose values come from central servers."""
    edition: int = 0
    """How often it was changed."""

    def become(self, site: Site) -> None:
        """Go on with another flex-context and other flex-models of the same assets.

        What devices there are, and how full 100 % is, stays. Each unit is replaced as a whole;
        who needs several of them alike makes sure that nobody changes them meanwhile.
        """
        units = self.edited(site)
        self.site, self.units = site, units
        self.edition += 1

    def edited(self, site: Site) -> tuple[Unit, ...]:
        """The units as they would become."""
        return tuple(_edited(unit, site) for unit in self.units)

    @property
    def context(self) -> FlexContext:
        """The site's flex-context."""
        return self.site.flex_context

    def unit(self, name: str) -> Unit:
        """An asset by its name."""
        return next(unit for unit in self.units if unit.name == name)

    @property
    def controlled(self) -> tuple[Unit, ...]:
        """The assets that are told what to do."""
        return tuple(unit for unit in self.units if unit.control is not None)

    @property
    def remainder(self) -> Unit | None:
        """The building that uses what no other asset explains."""
        return next((unit for unit in self.units if unit.asset.remainder), None)

    def happens(self, unit: Unit) -> bool:
        """Whether an asset is expected to go on as it does, rather than planned.

        Batteries that others control are not: nobody knows what they will do.
        """
        own_entry = unit.model.inflexible_consumption or unit.model.inflexible_production
        if unit.planned or own_entry is not None or not unit.electric:
            return False
        if unit.asset.type == "solar":
            return True
        return unit.power in self.sensors and unit.asset.type != "battery"

    def max_age(self, sensor: str) -> timedelta:
        """How old a value may be and still be acted upon: three polls, at least 5 s."""
        return max(3 * self.every.get(sensor, timedelta(seconds=1)), _AT_LEAST)


def resolve(
    site: Site, origins: Mapping[str, SensorOrigin], drivers: Mapping[str, Driver], currency: str
) -> Plant:
    """Put site and drivers together; ``origins`` says where each sensor's values come from."""
    sensors = {
        name: Sensor(name, origin.unit, turns_at=origin.turns_at)
        for name, origin in origins.items()
    }
    sensor_of = {
        (origin.device, origin.point): name
        for name, origin in origins.items()
        if origin.device is not None and origin.point is not None
    }
    every = {
        sensor_of[device, point]: poll.every
        for device, driver in drivers.items()
        for poll in driver.polls
        for point in poll.points
        if (device, point) in sensor_of
    }
    units = []
    for name, asset in site.assets.items():
        mine = {full.partition(".")[2]: full for full in sensors if full.startswith(f"{name}.")}
        control = None
        if asset.device is not None and asset.control:
            control = drivers[asset.device].controls.get(f"{asset.role}.power")
        unit = Unit(name, asset, control, mine, _keeper(asset, site), _soft(site))
        units.append(replace(unit, full_kwh=unit.soc_max_kwh))
    zone, arriving = site.site.zone, coming(site)
    return Plant(site, zone, currency, tuple(units), sensors, sensor_of, every, arriving)


def _edited(unit: Unit, site: Site) -> Unit:
    asset = site.assets[unit.name]
    return replace(unit, asset=asset, keeper=_keeper(asset, site), soft=_soft(site))


def _keeper(asset: Asset, site: Site) -> Asset:
    """Who describes the storage that an asset feeds."""
    soc = asset.flex_model.state_of_charge
    if asset.flex_model.soc_max is not None or soc is None:
        return asset
    sharing = (
        other
        for other in site.assets.values()
        if other.flex_model.state_of_charge == soc and other.flex_model.soc_max is not None
    )
    return next(sharing, asset)


def _soft(site: Site) -> tuple[bool, bool]:
    """Whether capacities of devices may be exceeded at a price, in each direction."""
    context = site.flex_context
    prices = context.consumption_breach_price, context.production_breach_price
    if prices == (None, None):
        relaxed = bool(context.relax_capacity_constraints)
        return relaxed, relaxed
    return prices[0] is not None, prices[1] is not None
