"""The site as the gateway works with it: which sensor is which point, what each asset can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from flexedge.config.sensors import SensorOrigin
from flexedge.config.site import Asset, Site
from flexedge.domain.asset import Sensor
from flexedge.domain.flex import FlexContext, FlexModel
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

    @property
    def model(self) -> FlexModel:
        """The asset's flex-model."""
        return self.asset.flex_model

    @property
    def stores(self) -> bool:
        """Whether it stores energy."""
        return self.asset.type in _STORES

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
        return self.model.soc_min or 0.0

    @property
    def soc_max_kwh(self) -> float | None:
        """The highest state of charge; None for what does not store."""
        if self.model.soc_max is not None:
            return self.model.soc_max
        buffer = self.asset.heat_buffer
        return None if buffer is None else buffer.capacity_kwh

    @property
    def least_kw(self) -> float:
        """The least power above zero it can do; a machine on a switch knows only one."""
        if self.asset.process is not None:
            return self.asset.process.power
        return 0.0 if self.control is None else self.control.least_kw

    @property
    def range_kw(self) -> tuple[float, float]:
        """Most production (negative) and most consumption: the tightest of all who say so."""
        low, high = -float("inf"), float("inf")
        for limits in (self.asset.limits.range, self.control and self.control.range_kw):
            if limits:
                low, high = max(low, limits[0]), min(high, limits[1])
        model = self.model
        if model.power_capacity is not None:
            low, high = max(low, -model.power_capacity), min(high, model.power_capacity)
        if isinstance(model.consumption_capacity, float):
            high = min(high, model.consumption_capacity)
        if isinstance(model.production_capacity, float):
            low = max(low, -model.production_capacity)
        if self.asset.type in ("one-way_evse", "heat-storage", "building", "process"):
            low = max(low, 0.0)
        if self.asset.type == "solar":
            high = min(high, 0.0)
        return low, high


@dataclass(frozen=True, slots=True)
class Plant:
    """Everything on site, resolved."""

    site: Site
    zone: ZoneInfo
    currency: str
    units: tuple[Unit, ...]
    sensors: Mapping[str, Sensor]
    """Every sensor by its name, those of prices and derived ones included."""
    sensor_of: Mapping[tuple[str, str], str]
    """(device, point) to sensor."""
    every: Mapping[str, timedelta]
    """How often a sensor is read."""

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

    def max_age(self, sensor: str) -> timedelta:
        """How old a value may be and still be acted upon: three polls, at least 5 s."""
        return max(3 * self.every.get(sensor, timedelta(seconds=1)), _AT_LEAST)


def resolve(
    site: Site, origins: Mapping[str, SensorOrigin], drivers: Mapping[str, Driver], currency: str
) -> Plant:
    """Put site and drivers together; ``origins`` says where each sensor's values come from."""
    sensors = {name: Sensor(name, origin.unit) for name, origin in origins.items()}
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
        units.append(Unit(name, asset, control, mine))
    return Plant(site, site.site.zone, currency, tuple(units), sensors, sensor_of, every)
