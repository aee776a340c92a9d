"""What a centre has already, and which of it is ours."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from flexedge.cloud.central import Central, Json
from flexedge.domain.measures import measure
from flexedge.gateway.sync.ours import OurAsset, OurSensor
from flexedge.wire.shape import duration_of

MARK: Final = "flexedge"
"""The attribute that says whose an asset or sensor is."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something of the centre's that is ours, or has the name that ours would get."""

    number: int
    by: Literal["id", "mark", "name"]
    """name: it may be anybody's."""
    foreign: bool = False
    """It is another gateway's, or somebody calls it something in another system."""


class There:
    """One account of a centre, asked for as it is needed and only once.

    ``root``: only that asset and what is below it, however much else the account has.
    """

    def __init__(self, central: Central, account_id: int, root: int | None = None) -> None:
        self._central = central
        self._account, self._root = account_id, root
        self._assets: dict[int, Json] | None = None
        self._sensors: dict[int, dict[int, Json]] = {}

    @property
    def assets(self) -> dict[int, Json]:
        """The account's assets by number. Raises ``CentreError``."""
        if self._assets is None:
            found = self._central.assets(self._account, self._root)
            self._assets = {number: one for one in found if (number := number_of(one)) is not None}
        return self._assets

    def sensors(self, asset: int) -> dict[int, Json]:
        """An asset's own sensors by number. Raises ``CentreError``."""
        if asset not in self._sensors:
            every = self._central.sensors(asset)
            self._sensors[asset] = {
                number: one for one in every if (number := number_of(one)) is not None
            }
        return self._sensors[asset]

    def made_asset(self, number: int, fields: Json) -> None:
        """Know of an asset that was made just now."""
        self.assets[number] = {"id": number, **fields}
        self._sensors[number] = {}

    def made_sensor(self, number: int, asset: int, fields: Json) -> None:
        """Know of a sensor that was made just now."""
        self.sensors(asset)[number] = {"id": number, **fields}

    def asset(
        self, one: OurAsset, gateway: str, parent: int | None, taken: Collection[int]
    ) -> Found | None:
        """The asset there that is ours, or has its name in its place; ``taken``: are others'."""
        free = {number: each for number, each in self.assets.items() if number not in taken}
        for number, each in free.items():
            if each.get("external_id") == one.external_id:
                return Found(number, "id")
        for number, each in free.items():
            mark = mark_of(each)
            if mark.get("gateway") == gateway and mark.get("asset") == one.external_id:
                return Found(number, "mark")
        for number, each in free.items():
            if each.get("name") == one.asset.name and each.get("parent_asset_id") == parent:
                return Found(number, "name", bool(each.get("external_id") or mark_of(each)))
        return None

    def sensor(
        self, one: OurSensor, role: str, gateway: str, asset: int, name: str
    ) -> Found | None:
        """The sensor of an asset there that is ours, or has the name that ours would get."""
        every = self.sensors(asset)
        for number, each in every.items():
            if is_ours(each, gateway, one.placed.key, role) and not unlike(one, each):
                return Found(number, "mark")
        for number, each in every.items():
            if each.get("name") == name:
                return Found(number, "name", bool(mark_of(each)))
        return None

    def names_below(self, parent: int | None) -> set[str]:
        """What the assets right below another one are called; None: those at the top."""
        return {
            str(each.get("name"))
            for each in self.assets.values()
            if each.get("parent_asset_id") == parent
        }


def is_ours(sensor: Json, gateway: str, key: str, role: str) -> bool:
    """Whether a sensor there is marked as standing for one of ours in a role."""
    mark = mark_of(sensor)
    return (mark.get("gateway"), mark.get("sensor"), mark.get("role")) == (gateway, key, role)


def mark_of(thing: Json) -> Mapping[str, Any]:
    """What the mark on an asset or sensor says; empty where there is none."""
    attributes = thing.get("attributes")
    mark = attributes.get(MARK) if isinstance(attributes, Mapping) else None
    return mark if isinstance(mark, Mapping) else {}


def number_of(thing: Json) -> int | None:
    """The number of something of a centre; None where it says no such thing."""
    number = thing.get("id")
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def resolution_of(sensor: Json) -> timedelta | None:
    """How long a sensor's events are; None where that cannot be read."""
    try:
        found = duration_of(sensor.get("event_resolution"))
    except ValueError:
        return None
    return found if isinstance(found, timedelta) and found >= timedelta(0) else None


def unlike(one: OurSensor, sensor: Json) -> str:
    """Why the values of one of ours do not fit into a sensor there; "" where they do."""
    unit, step = str(sensor.get("unit")), resolution_of(sensor)
    try:
        same = measure(unit).powers == measure(one.placed.unit).powers
    except ValueError:
        same = False
    if not same:
        return f"its unit is {unit!r} there and {one.placed.unit!r} here"
    if _signed(one.placed.attributes) != _signed(sensor.get("attributes")):
        return "production is positive in one place, and consumption in the other"
    own = one.placed.resolution
    if step is None or bool(step) != bool(own) or (step and (step % own and own % step)):
        return f"its resolution is {step} there and {own} here"
    return ""


def _signed(attributes: Any) -> bool:
    return isinstance(attributes, Mapping) and bool(attributes.get("consumption_is_positive"))
