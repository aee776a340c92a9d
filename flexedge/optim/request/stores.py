"""Stocks of a flex-model: one for each state of charge, fed by one device or several."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from flexedge.domain.series import FloatArray, floor
from flexedge.errors import BadField
from flexedge.optim.device import SocBound, Storage
from flexedge.optim.request import abilities, ticks
from flexedge.optim.request.amounts import Overlaps, Reader, Segment, factor
from flexedge.optim.request.entries import STOCK_FIELDS, Cast, Entry
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.rates import rates
from flexedge.optim.request.source import Points, Sensor, parse_unit
from flexedge.optim.request.terms import Terms

_ABSOLUTE = ("soc-min", "soc-max", "soc-minima", "soc-maxima", "soc-targets", "soc-value-at-end")
_OVERLAPS: dict[str, Overlaps] = {
    "soc-targets": "first", "soc-minima": "max", "soc-maxima": "min",
}  # fmt: skip
_OLDEST = timedelta(days=7)  # how far back a state of charge is looked for
_NEAR = 4  # steps around the start within which FlexMeasures looks for a state of charge


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """Who feeds a stock, and where what is said about it stands."""

    name: str
    feeders: tuple[Entry, ...]
    said: dict[str, Fields]
    """For each stock field that is given, the entry that gives it."""
    soc_sensor: Sensor | None


def stores(cast: Cast) -> list[Store]:
    """The stocks of a flex-model. Raises ``BadField`` where two entries say the same."""
    shared: dict[str, list[Entry]] = {}
    for entry in cast.devices:
        if entry.process:
            continue
        key = entry.name if entry.soc_sensor is None else f" {entry.soc_sensor.name}"
        shared.setdefault(key, []).append(entry)
    found = []
    for feeders in shared.values():
        soc = feeders[0].soc_sensor
        owners = [e for e in cast.stocks if soc is not None and e.soc_sensor is not None
                  and e.soc_sensor.name == soc.name]  # fmt: skip
        said: dict[str, Fields] = {}
        for entry in (*owners, *feeders):
            for key in (*STOCK_FIELDS, "state-of-charge"):
                if not entry.fields.has(key):
                    continue
                if key in said and key.startswith(("soc-", "storage-")) and key != "soc-unit":
                    entry.fields.fail(key, f"is given by {said[key].path} already, for the same "
                                      "state of charge")  # fmt: skip
                said.setdefault(key, entry.fields)
        name = feeders[0].name if soc is None or len(feeders) == 1 else soc.name
        found.append(Store(name, tuple(feeders), said, soc))
    return found


def storage(store: Store, terms: Terms, reader: Reader) -> Storage | None:
    """A stock as the optimiser takes it; None where nothing is known of any stock."""
    book = _Book(store, reader)
    start = book.start()
    if start is None:
        return None
    low, high = book.energy("soc-min"), book.soc_max
    if low is not None and high is not None and low > high:
        store.said["soc-min"].fail("soc-min", f"lies above soc-max: {low:g} > {high:g} kWh")
    lowest = -np.inf if low is None else low
    highest = np.inf if high is None else high
    # FlexMeasures asks the first of several feeders alone
    rise, fall = rates(store.feeders[0], terms, reader, highest)
    reach = ticks.Reach(reader.grid, rise, fall, lowest, highest, book.takes())
    asked = ticks.Asked.nothing()
    for kind in ("targets", "minima", "maxima"):
        ticks.put(asked, kind, book.segments(f"soc-{kind}"), reach, project=book.projects())
    moment, soc = start
    if moment is not None and book.projects():
        ticks.put_start(asked, moment, soc, reach)
    return Storage(
        store.name,
        soc,
        lowest,
        highest,
        book.named("minima", asked),
        book.named("maxima", asked),
        book.named("targets", asked),
        book.price(terms.soc_minima_price, terms),
        book.price(terms.soc_maxima_price, terms),
        book.sum("soc-usage") - book.sum("soc-gain"),
        book.kept(),
        book.boolean("prefer-charging-sooner"),
        book.boolean("prefer-curtailing-later"),
        book.values_at_end(),
    )


def off_tick(store: Store, reader: Reader) -> bool:
    """Whether anything is asked of a stock between ticks."""
    return _Book(store, reader).off_tick()


class _Book:
    """What is said of one stock."""

    def __init__(self, store: Store, reader: Reader) -> None:
        self._store = store
        self._reader = reader
        self.soc_max = self.energy("soc-max", percent=False)

    def _bare(self) -> float:
        """What a number without a unit means, in kWh."""
        fields = self._store.said.get("soc-unit")
        if fields is not None:
            unit = parse_unit(fields.text("soc-unit"))
            if unit is None or unit.dimension != "energy":
                fields.fail("soc-unit", "should be 'kWh' or 'MWh'")
            return unit.factor
        sensor = self._store.feeders[0].sensor
        unit = None if sensor is None else parse_unit(sensor.unit)
        if unit is not None and unit.dimension in {"power", "energy"}:
            return unit.factor
        return 1e3

    def energy(self, key: str, *, percent: bool = True) -> float | None:
        """One fixed energy, also as a share of soc-max."""
        fields = self._store.said.get(key)
        if fields is None:
            return None
        amount = self._reader.amount(
            fields.data[key], fields.at(key), ["energy"], bare=self._bare(),
            whole=self.soc_max if percent else None,
        )  # fmt: skip
        if amount.fixed is None:
            fields.fail(key, "should be one fixed energy, such as '10 kWh'")
        if key == "soc-min" and amount.fixed < 0:
            fields.fail(key, "should not be negative")
        return amount.fixed

    def segments(self, key: str) -> tuple[Segment, ...]:
        """Energies that are asked for at times."""
        fields = self._store.said.get(key)
        if fields is None:
            return ()
        amount = self._reader.amount(
            fields.data[key], fields.at(key), ["energy"], bare=self._bare(), whole=self.soc_max
        )
        return self._reader.events(amount, _OVERLAPS[key], self.soc_max)

    def price(self, price: FloatArray | None, terms: Terms) -> FloatArray | None:
        """What a miss costs; where misses are hard, those of stocks asked between ticks are not."""
        relaxes = terms.off_tick_for_all or self.off_tick()
        return terms.soc_off_tick_price if price is None and relaxes else price

    def off_tick(self) -> bool:
        """Whether anything is asked of the stock between ticks, where that counts.

        Ticks are here those of the power sensor where they are fewer, as with FlexMeasures.
        """
        if not self.projects():
            return False
        asked = [one for kind in _OVERLAPS for one in self.segments(kind)]
        sensor = self._store.feeders[0].sensor
        tick = max(self._reader.grid.resolution, sensor.resolution if sensor else timedelta(0))
        return any(floor(at, tick) != at for one in asked for at in (one.start, one.end))

    def named(self, kind: str, asked: ticks.Asked) -> tuple[SocBound, ...]:
        """What is asked; at least the start, which binds nothing, where the field is given."""
        start = SocBound(self._reader.grid.start, 0.0, derived=True)
        given = f"soc-{kind}" in self._store.said
        return asked.bounds(kind, self._reader.grid) or ((start,) if given else ())

    def takes(self) -> frozenset[str]:
        """The kinds of bounds that others may be added to: those that are listed, or not given."""
        kinds = ("minima", "maxima")
        given = {kind: self._store.said.get(f"soc-{kind}") for kind in kinds}
        return frozenset(
            kind for kind, fields in given.items()
            if fields is None or isinstance(fields.data[f"soc-{kind}"], list)
        )  # fmt: skip

    def boolean(self, key: str) -> bool:
        fields = self._store.said.get(key)
        return True if fields is None else fields.boolean(key, default=True)

    def projects(self) -> bool:
        """Whether states of charge between ticks count."""
        sensor = self._store.feeders[0].sensor
        if sensor is None:
            return True
        return bool(sensor.attributes.get("floor_datetimes_to_resolution", True))

    def sum(self, key: str) -> FloatArray:
        """The sum of several flows; 0 where nothing is known."""
        total = np.zeros(self._reader.grid.n)
        fields = self._store.said.get(key)
        if fields is None:
            return total
        raw = fields.data[key]
        for number, one in enumerate(raw if isinstance(raw, list) else [raw]):
            path = f"{fields.at(key)}[{number}]" if isinstance(raw, list) else fields.at(key)
            total += np.nan_to_num(self._reader.values(self._reader.amount(one, path, ["power"])))
        return total

    def kept(self) -> FloatArray | float:
        """The share that is left after one step of the schedule."""
        key = "storage-efficiency"
        fields = self._store.said.get(key)
        if fields is None:
            return 1.0
        amount = self._reader.amount(fields.data[key], fields.at(key), ["share"], bare=1.0)
        values = self._reader.values(amount)
        share = np.clip(np.where(np.isnan(values), 1.0, values), 0.0, 1.0)
        if (share == 1.0).all():
            return 1.0
        if amount.sensor is not None:
            resolution = amount.sensor.resolution
        else:
            resolution = self._power_resolution()
        if resolution <= timedelta(0):
            fields.fail(key, "has no resolution: refer to a power sensor that has one")
        kept: FloatArray = share ** (self._reader.grid.resolution / resolution)
        return kept

    def _power_resolution(self) -> timedelta:
        for entry in self._store.feeders:
            for sensor in (entry.sensor, entry.consumption, entry.production):
                if sensor is not None and sensor.resolution > timedelta(0):
                    return sensor.resolution
        return timedelta(0)

    def values_at_end(self) -> tuple[tuple[float, float], ...]:
        """What stored energy is worth at the end: up to how many kWh, and how much per kWh."""
        fields = self._store.said.get("soc-value-at-end")
        return () if fields is None else abilities.values_at_end(fields, self._reader, self.soc_max)

    def start(self) -> tuple[datetime | None, float] | None:
        """The state of charge at the start, and when it was measured if after that.

        None where the stock has no absolute level.
        """
        given = self.energy("soc-at-start")
        if given is not None:
            return None, given
        fields = self._store.said.get("state-of-charge")
        if self._store.soc_sensor is not None:
            measured = self._measured(self._store.soc_sensor)
            if measured is not None:
                return measured
            if fields is not None and any(key in self._store.said for key in _ABSOLUTE):
                fields.fail("state-of-charge", "has no value to start from: give soc-at-start, or "
                            f"post data to the sensor {self._store.soc_sensor.name!r}")  # fmt: skip
            return None
        if fields is not None:
            return self._listed(fields)
        if any(key in self._store.said for key in _ABSOLUTE):
            self._reader.notes.append(
                f"{self._store.name}: its state of charge at the start is not known: taken as 0"
            )
            return None, 0.0
        return None

    def _measured(self, sensor: Sensor) -> tuple[datetime | None, float] | None:
        """The value nearest to the start; one from long ago only where there is no better."""
        start, grid = self._reader.grid.start, self._reader.grid
        span = start - _OLDEST, grid.end
        points = self._reader.source.points(sensor.name, self._reader.prior, span=span)
        if points is None:
            return None
        known = [(abs(t - start), start - t, v) for t, v in zip(points.starts, points.values,
                 strict=True) if not np.isnan(v) and t < grid.end]  # fmt: skip
        if not known:
            return None
        away, before, value = min(known, key=lambda one: (one[0], one[1]))
        if away > _NEAR * grid.resolution:
            self._reader.notes.append(
                f"{self._store.name}: its state of charge was measured {away} from the start"
            )
        return start - before, value * self._in_kwh(points, sensor)

    def _in_kwh(self, points: Points, sensor: Sensor) -> float:
        unit = parse_unit(points.unit)
        if unit is not None and unit.dimension == "share":
            if self.soc_max is None:
                raise BadField(
                    self._store.said["state-of-charge"].at("state-of-charge"),
                    f"the sensor {sensor.name!r} is in %: soc-max is needed to read it",
                )
            return unit.factor * self.soc_max
        if unit is None or unit.dimension != "energy":
            raise BadField(
                self._store.said["state-of-charge"].at("state-of-charge"),
                f"the sensor {sensor.name!r} has the unit {points.unit!r}: kWh, MWh or % is needed",
            )
        return factor(points, "energy", timedelta(hours=1))

    def _listed(self, fields: Fields) -> tuple[datetime | None, float]:
        """From a listed state of charge: what holds at the start, or what is nearest to it."""
        start = self._reader.grid.start
        segments = self._reader.events(
            self._reader.amount(
                fields.data["state-of-charge"], fields.at("state-of-charge"), ["energy"],
                bare=self._bare(), whole=self.soc_max,
            ),
            "first",
        )  # fmt: skip
        holding = [one for one in segments if one.start <= start < one.end]
        if holding:
            return None, max(holding, key=lambda one: one.start).value
        if not segments:
            fields.fail("state-of-charge", "should not be empty")
        nearest = min(segments, key=lambda one: min(abs(one.start - start), abs(one.end - start)))
        return nearest.start, nearest.value
