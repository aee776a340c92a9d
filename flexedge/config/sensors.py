"""Which sensors a site has, how they are called, and which point of which device feeds them.

An asset that refers to a device claims the points of its role: ``battery.soc`` of the inverter
becomes ``<asset>.soc``. The grid connection claims ``grid.*``. What nobody claims is called
``<device>.<role>.<quantity>``. Prices bear their own names, and so does what comes from a centre.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flexedge.config.coming import coming
from flexedge.config.profile import Profile
from flexedge.config.profiles import points_of
from flexedge.config.site import Asset, CentrePrice, FilePrice, PriceSource, Site, ZonedPrice

GRID = "grid"
"""The name by which the grid connection claims its points; no asset may have it."""
DISPATCHED = "dispatched"
"""The quantity of an asset that says what it was told and took: its setpoint, as it was applied."""
AVAILABLE = "available"
"""The quantity of a solar asset that says what it can produce, as far as that is foreseen.

Positive, for FlexMeasures takes a production-capacity so, whatever sign powers have."""


@dataclass(frozen=True, slots=True)
class SensorOrigin:
    """Where a sensor's values come from: a point of a device, or None where they are computed."""

    unit: str
    device: str | None = None
    point: str | None = None
    turns_at: float | None = None
    """The value at which a counter shows 0 again, in ``unit``."""
    centre: str | None = None
    """The central server that its values come from."""


def claims_of(site: Site) -> dict[tuple[str, str], str]:
    """Who claims which role of which device: (device, role) to an asset's name or ``grid``."""
    claims = {
        (asset.device, asset.role): name
        for name, asset in reversed(site.assets.items())
        if asset.device is not None and asset.role is not None
    }
    return claims | {(site.grid_connection.device, GRID): GRID}


def sensors_of(
    site: Site, profiles: Mapping[str, Profile], currency: str
) -> dict[str, SensorOrigin]:
    """Every sensor of a site by its name; ``profiles`` by the names of devices."""
    claims = claims_of(site)
    sensors = {key: SensorOrigin(one.unit, centre=one.centre) for key, one in coming(site).items()}
    sensors |= {name: SensorOrigin(f"{currency}/kWh") for name in site.prices}
    for name, asset in site.assets.items():
        sensors |= dict(_computed(name, asset))
        if _controlled(asset, profiles):
            sensors[f"{name}.{DISPATCHED}"] = SensorOrigin("kW")
            if asset.type == "solar":
                sensors[f"{name}.{AVAILABLE}"] = SensorOrigin("kW")
    for device, profile in profiles.items():
        for point in points_of(profile, site.devices[device]):
            role, _, quantity = point.partition(".")
            owner = claims.get((device, role))
            name = f"{device}.{point}" if owner is None else f"{owner}.{quantity}"
            said = profile.points[point]
            sensors[name] = SensorOrigin(said.sensor_unit, device, point, said.turnover)
    return sensors


def _controlled(asset: Asset, profiles: Mapping[str, Profile]) -> bool:
    """Whether it is told what to do."""
    profile = profiles.get(asset.device or "")
    return asset.control and profile is not None and f"{asset.role}.power" in profile.control


def _computed(name: str, asset: Asset) -> Iterator[tuple[str, SensorOrigin]]:
    if asset.remainder:
        yield f"{name}.power", SensorOrigin("kW")
    if asset.heat_buffer is not None:
        yield f"{name}.soc", SensorOrigin("kWh")
        yield f"{name}.heat-demand", SensorOrigin("kW")


def currencies_of(source: PriceSource) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The currencies a price names, with the keys that lead to them."""
    if isinstance(source, FilePrice | CentrePrice):
        yield ("unit",), source.unit.partition("/")[0]
        if source.add is not None:
            yield ("add",), source.add.currency
    elif isinstance(source, ZonedPrice):
        for i, zone in enumerate(source.zones):
            yield ("zones", i, "price"), zone.price.currency
        yield ("otherwise",), source.otherwise.currency
    else:
        yield ("fixed",), source.fixed.currency
