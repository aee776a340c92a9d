"""Who is who in a flex-model: devices, stocks they share, groups, and what cannot be controlled."""

from dataclasses import dataclass, field

from flexedge.optim.request.amounts import Reader
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.source import Sensor

STOCK_FIELDS = (
    "soc-at-start", "soc-unit", "soc-min", "soc-max", "soc-minima", "soc-maxima", "soc-targets",
    "soc-gain", "soc-usage", "storage-efficiency", "soc-value-at-end",
    "prefer-charging-sooner", "prefer-curtailing-later",
)  # fmt: skip
DEVICE_FIELDS = (
    "power-capacity", "consumption-capacity", "production-capacity", "roundtrip-efficiency",
    "charging-efficiency", "discharging-efficiency", "operation-modes", "coupling",
    "coupling-coefficient",
    "wear-cost", "start-up-cost", "minimum-up-time", "minimum-down-time",
    "maximum-starts-per-day", "on-at-start", "last-switched", "starts-today",
    "ramp-up-limit", "ramp-down-limit", "power-at-start", "minimum-power", "power-steps",
    "charging-power-curve", "discharging-power-curve", "part-load-efficiency", "phases", "priority",
)  # fmt: skip
PROCESS_FIELDS = (
    "power", "duration", "process-type", "time-restrictions", "optimization-sense", "runs",
    "deadline",
)  # fmt: skip
INFLEXIBLE_FIELDS = ("inflexible-consumption", "inflexible-production")
_PLACE_FIELDS = (
    "sensor", "asset", "commodity", "consumption", "production", "state-of-charge", "group",
)  # fmt: skip
ENTRY_FIELDS = (
    *_PLACE_FIELDS, *STOCK_FIELDS, *DEVICE_FIELDS, *PROCESS_FIELDS, *INFLEXIBLE_FIELDS,
)  # fmt: skip

Key = tuple[str, str]
"""("sensor", its name) or ("asset", its name)."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One entry of a flex-model."""

    fields: Fields
    name: str
    sensor: Sensor | None
    consumption: Sensor | None
    production: Sensor | None
    soc_sensor: Sensor | None
    asset: str | None
    commodity: str
    group: Key | None

    @property
    def keys(self) -> tuple[Key, ...]:
        """What others may call it by."""
        if self.sensor is not None:
            return (("sensor", self.sensor.name),)
        return () if self.asset is None else (("asset", self.asset),)

    @property
    def process(self) -> bool:
        """Whether it is a task rather than a device of free power."""
        return self.fields.has("power") or self.fields.has("process-type")


@dataclass(slots=True)
class Cast:
    """All entries by what they are."""

    devices: list[Entry] = field(default_factory=list)
    stocks: list[Entry] = field(default_factory=list)
    inflexible: list[Entry] = field(default_factory=list)
    groups: dict[Key, Entry] = field(default_factory=dict)

    def members(self, key: Key) -> list[Entry]:
        """The devices (inflexible ones, too) in a group and in the groups within it."""
        found = [e for e in (*self.devices, *self.inflexible) if e.group == key]
        for other, entry in self.groups.items():
            if entry.group == key:
                found += [e for e in self.members(other) if e not in found]
        return found


def cast(listed: list[Fields], reader: Reader) -> Cast:
    """Tell devices, stocks, groups and inflexible devices apart. Raises ``BadField``."""
    every = [_entry(fields, number, reader) for number, fields in enumerate(listed)]
    wanted = {entry.group for entry in every if entry.group is not None}
    found = Cast()
    for entry in every:
        key = next((key for key in entry.keys if key in wanted), None)
        if key is not None:
            _check_group(entry)
            found.groups[key] = entry
        elif any(entry.fields.has(name) for name in INFLEXIBLE_FIELDS):
            found.inflexible.append(entry)
        elif _is_stock(entry, every):
            found.stocks.append(entry)
        else:
            found.devices.append(entry)
    _check(found, every)
    return found


def _entry(fields: Fields, number: int, reader: Reader) -> Entry:
    fields.refuse_unknown(ENTRY_FIELDS)
    sensor = reader.sensor(fields) if fields.has("sensor") else None
    outputs = [reader.output(fields, key) for key in ("consumption", "production")]
    soc = fields.data.get("state-of-charge")
    soc_sensor = reader.sensor(fields.object("state-of-charge")) if isinstance(soc, dict) else None
    asset = fields.name("asset") if fields.has("asset") else None
    if asset is None and (sensor or soc_sensor) is not None:
        asset = (sensor or soc_sensor).asset  # type: ignore[union-attr] # one of them is there
    known = next((s.name for s in (sensor, *outputs) if s is not None), None)
    return Entry(
        fields,
        known or asset or f"device {number}",
        sensor,
        outputs[0],
        outputs[1],
        soc_sensor,
        asset,
        fields.text("commodity") if fields.has("commodity") else "electricity",
        group_key(fields.object("group"), reader) if fields.has("group") else None,
    )


def group_key(fields: Fields, reader: Reader) -> Key:
    """How a group is referred to."""
    fields.refuse_unknown(("sensor", "asset"))
    if fields.has("sensor"):
        return "sensor", reader.sensor(fields).name
    return "asset", fields.name("asset")


def _is_stock(entry: Entry, every: list[Entry]) -> bool:
    """Whether an entry only describes a stock that others feed."""
    if entry.sensor is not None or entry.consumption or entry.production or entry.process:
        return False
    if entry.soc_sensor is None:
        return False
    return any(
        other is not entry and other.soc_sensor is not None
        and other.soc_sensor.name == entry.soc_sensor.name
        for other in every
    )  # fmt: skip


def _check_group(entry: Entry) -> None:
    for key in (*STOCK_FIELDS, "state-of-charge", "charging-efficiency", "roundtrip-efficiency",
                "discharging-efficiency"):  # fmt: skip
        if entry.fields.has(key):
            entry.fields.fail(key, "a group only has power-capacity, consumption-capacity and "
                              "production-capacity")  # fmt: skip
    if not any(entry.fields.has(key) for key in
               ("power-capacity", "consumption-capacity", "production-capacity")):  # fmt: skip
        entry.fields.fail("power-capacity", "is missing: a group without any limit has no effect")


def _check(found: Cast, every: list[Entry]) -> None:
    names: set[str] = set()
    for entry in (*found.devices, *found.inflexible):
        if entry.name in names:
            entry.fields.fail("sensor", f"{entry.name!r} is used by two entries")
        names.add(entry.name)
    for entry in every:
        if entry.group is not None and entry.group not in found.groups:
            entry.fields.fail("group", f"there is no entry for the {entry.group[0]} "
                              f"{entry.group[1]!r}")  # fmt: skip
    for key, entry in found.groups.items():
        above, seen = entry.group, {key}
        while above is not None:
            if above in seen:
                entry.fields.fail("group", "groups contain each other")
            seen.add(above)
            above = found.groups[above].group
        members = found.members(key)
        if not members:
            entry.fields.fail("group", f"nobody belongs to the group {key[1]!r}")
        commodities = {member.commodity for member in members}
        if len(commodities) > 1:
            entry.fields.fail("group", "its members need one commodity, not "
                              + " and ".join(sorted(commodities)))  # fmt: skip
