"""What our things are called at a centre: names, types, units and ids that it knows."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final

from flexedge.store.tables.assets import Asset

ASSET_NAME, SENSOR_NAME, EXTERNAL_ID = 80, 120, 80
"""How many letters FlexMeasures has room for."""
_KNOWN: Final = ("building", "process", "battery", "solar", "wind", "heat-storage",
                 "one-way_evse", "two-way_evse")  # fmt: skip
_NEAREST: Final[Mapping[str, str]] = {
    "group": "building", "converter": "process", "site": "building", "house": "building",
    "pv": "solar", "evse": "one-way_evse", "charger": "one-way_evse", "car": "two-way_evse",
    "heat-pump": "heat-storage", "boiler": "heat-storage", "storage": "battery",
    "machine": "process", "load": "process", "meter": "building",
}  # fmt: skip
"""What FlexMeasures has no type for, and the type that says most of it."""
_UNITS: Final[Mapping[str, str]] = {
    "": "dimensionless", "1": "dimensionless", "ºC": "°C", "m2": "m²", "m3": "m³",
    "var": "VA", "varh": "VA*h", "VAh": "VA*h",
}  # fmt: skip
"""What FlexMeasures' units do not know, and what is the same number of the same there."""
_PREFIXED: Final = re.compile(r"([kM]?)(varh|VAh|var)")


def external_id(gateway: str, number: int, asset: Asset) -> str:
    """What an asset is called at every centre: "<gateway>/battery", of the site "<gateway>/site".

    Of what the site file does not define, or calls as something else could be called, by number.
    """
    called = "site" if asset.defined_as == "" else asset.defined_as or ""
    plain = asset.defined_as == "" or (called != "site" and not called.isdecimal())
    whole = f"{gateway}/{called}"
    return whole if called and plain and len(whole) <= EXTERNAL_ID else f"{gateway}/{number}"


def sensor_name(name: str, role: str) -> str:
    """What the sensor for one role is called: "power", "power forecast"."""
    end = f" {role}" if role else ""
    return name[: SENSOR_NAME - len(end)] + end


def free_name(name: str, taken: Collection[str], most: int) -> str:
    """The name, or the first of "name (2)", "name (3)" … that nobody has."""
    found, n = name[:most], 1
    while found in taken:
        n += 1
        end = f" ({n})"
        found = name[: most - len(end)] + end
    return found


def type_name(kind: str, known: Collection[str]) -> str | None:
    """The centre's type for one of ours: the same, or the nearest; None where it has none."""
    wanted = (kind, _NEAREST.get(kind), *get_close_matches(kind, sorted(known), 1, 0.75), *_KNOWN)
    return next((one for one in wanted if one in known), min(known, default=None))


def unit_name(unit: str) -> str:
    """What the same unit is called there; numbers stay what they are."""
    top, *below = unit.split("/")
    return "/".join([_unit(top), *(_unit(part) for part in below)])


def _unit(unit: str) -> str:
    found = _PREFIXED.fullmatch(unit.strip())
    if found is not None:
        return found[1] + _UNITS[found[2]]
    return _UNITS.get(unit.strip(), unit)
