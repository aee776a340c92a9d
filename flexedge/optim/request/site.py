"""A whole request, from JSON to a problem, with what is to be answered where."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.domain.units import Dimension
from flexedge.errors import BadField
from flexedge.optim.device import ELECTRICITY, Device, Soft, Storage
from flexedge.optim.market import GROUP_BREACH_PRICE, Commitment, Group, Market
from flexedge.optim.placed import fullness
from flexedge.optim.problem import GOOD_ENOUGH, Problem
from flexedge.optim.request import devices, futures, merge, places, stores, terms
from flexedge.optim.request.amounts import Reader, edges
from flexedge.optim.request.entries import Cast, Entry, Key, cast, group_key
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.frame import frame
from flexedge.optim.request.outputs import Output, split
from flexedge.optim.request.source import FileSource, Source
from flexedge.optim.request.stores import Store
from flexedge.optim.request.terms import Terms

COMPAT = "flexmeasures-1.0"
_EXACT = 1e-7  # FlexMeasures allows no gap at all
_REQUEST = (
    "start", "duration", "resolution", "prior", "flex-model", "flex-context", "sequential",
    "force-new-job-creation", "sensor", "asset",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What was asked: the problem, and where its answers go."""

    problem: Problem
    outputs: tuple[Output, ...]
    stores: tuple[tuple[Store, Storage], ...]
    currency: str
    notes: tuple[str, ...]
    sequential: bool = False
    zone: tzinfo = UTC
    """In which times are written."""
    places: Mapping[str, str] = field(default_factory=dict)
    """The paths of the fields that say a limit, by what the optimiser calls it."""


def demand_size(asked: Asked, most: int) -> None:
    """Complain about a problem of more devices x steps than that."""
    devices, steps = len(asked.problem.devices), asked.problem.grid.n
    if devices * steps > most:
        raise BadField(
            "duration", f"{devices} devices in {steps} steps are more than can be planned at once:"
            f" ask for at most {most // devices} steps, or for fewer devices",
        )  # fmt: skip


def read(whole: Fields, compat: str | None) -> Asked:
    """Read a self-contained problem file. Raises ``BadField``."""
    source = FileSource(whole)
    request = whole.object("request")
    request.refuse_unknown(_REQUEST)
    return site(whole, request, source, compat)


def site(whole: Fields, request: Fields, source: Source, compat: str | None) -> Asked:
    """Read a request about the sensors of a source. Raises ``BadField``."""
    asset = _asset(whole, request, source)
    context = merge.context(request, source, asset)
    listed = merge.entries(_with_sensor(whole, request, source), source, asset)
    grid = frame(whole, request, source, listed)
    prior = request.moment("prior") if request.has("prior") else None
    reader = Reader(source, grid, prior, forgets_prices=compat == COMPAT)
    found = terms.terms(context, reader)
    terms.read_inflexible(found, reader)
    if compat == COMPAT:
        for key in ("soc_minima_price", "soc_maxima_price", "soc_off_tick_price"):
            price = getattr(found, key)
            setattr(found, key, None if price is None else price / grid.hours)
    return _Site(cast(listed, reader), found, context, reader, compat).asked(
        sequential=request.boolean("sequential", default=False),
        zone=request.moment("start").tzinfo or UTC,
    )


def _asset(whole: Fields, request: Fields, source: Source) -> str | None:
    """The asset a schedule is asked for: named, or the only one that is above all others."""
    for fields in (request, whole):
        if fields.has("asset"):
            return fields.name("asset")
    roots = [name for name, one in source.assets.items() if one.parent is None]
    return roots[0] if len(roots) == 1 else None


def _with_sensor(whole: Fields, request: Fields, source: Source) -> Fields:
    """For a schedule of one sensor: let its only entry name that sensor."""
    sent = request.data.get("flex-model")
    listed = sent if isinstance(sent, list) else [{} if sent is None else sent]
    if whole.data.get("level") != "sensor" or len(listed) != 1:
        return request
    entry = Fields(listed[0], "flex-model")
    if entry.has("sensor"):
        return request
    named = next((one.name("sensor") for one in (request, whole) if one.has("sensor")), None)
    if named is None:
        powers = [name for name, one in source.sensors.items()
                  if one.unit.endswith("W") and source.points(name, None) is None]  # fmt: skip
        if len(powers) != 1:
            entry.fail("sensor", "is missing: which sensor shall be scheduled?")
        named = powers[0]
    return Fields({**request.data, "flex-model": {**entry.data, "sensor": named}}, request.path)


class _Site:
    """A request on its way to a problem."""

    def __init__(
        self, everyone: Cast, found: Terms, context: Fields, reader: Reader, compat: str | None
    ) -> None:
        self.cast = everyone
        self.terms = found
        self.context = context
        self.reader = reader
        self.compat = compat
        self.fixed: dict[str, FloatArray] = {}  # by entry

    def asked(self, *, sequential: bool, zone: tzinfo) -> Asked:
        grid = self.reader.grid
        for entry in self.cast.inflexible:
            self.fixed[entry.name] = self._fixed(entry)
        kept = stores.stores(self.cast)
        self.terms.off_tick_for_all &= any(stores.off_tick(one, self.reader) for one in kept)
        pairs = [(one, self._storage(one)) for one in kept]
        feeding = {entry.name: kept for one, kept in pairs for entry in one.feeders}
        made = tuple(self._device(entry, feeding.get(entry.name)) for entry in self.cast.devices)
        markets = self._markets(made)
        problem = Problem(
            grid,
            made,
            markets,
            tuple(self._group(key, entry) for key, entry in self.cast.groups.items()),
            tuple(self._commitments(made)),
            futures.scenarios(self.context, self.terms, markets[0], self.reader),
            futures.risk_weight(self.context),
            tuple(moment.astimezone(zone).toordinal() for moment in grid.times()),
            good_enough=_EXACT if self.compat == COMPAT else GOOD_ENOUGH,
            preference=self._fullness(markets[0]) if self.compat == COMPAT else None,
        )
        return Asked(
            problem,
            tuple(self._outputs(made)),
            tuple((one, kept) for one, kept in pairs if kept is not None),
            self.reader.currency or "EUR", tuple(self.reader.notes), sequential, zone,
            places.places(self.cast, (one for one, _ in pairs), self.terms),
        )  # fmt: skip

    def _storage(self, store: Store) -> Storage | None:
        found = stores.storage(store, self.terms, self.reader)
        if found is None or self.compat != COMPAT:
            return found
        hours = self.reader.grid.hours  # FlexMeasures charges misses by the step
        return replace(
            found,
            minima=tuple(replace(bound, hours=hours) for bound in found.minima),
            maxima=tuple(replace(bound, hours=hours) for bound in found.maxima),
            targets=tuple(replace(bound, hours=hours) for bound in found.targets),
        )

    def _device(self, entry: Entry, storage: Storage | None) -> Device:
        if entry.process:
            return devices.process(entry, self.reader)
        return devices.device(entry, self.terms, self.reader, storage)

    def _fixed(self, entry: Entry) -> FloatArray:
        total = np.zeros(self.reader.grid.n)
        for key, sign in (("inflexible-consumption", 1.0), ("inflexible-production", -1.0)):
            if entry.fields.has(key):
                total += terms.flow(self.reader, entry.fields.data[key], entry.fields.at(key), sign)
        return total

    def _anyway(self, commodity: str) -> FloatArray:
        """All inflexible power of a commodity."""
        names = self.terms.inflexible_of.get(commodity, [])
        total = sum((self.terms.inflexible[name] for name in names),
                    start=np.zeros(self.reader.grid.n))  # fmt: skip
        mine = [self.fixed[e.name] for e in self.cast.inflexible if e.commodity == commodity]
        return sum(mine, start=total)

    def _markets(self, made: Iterable[Device]) -> tuple[Market, ...]:
        used = {device.commodity for device in made}
        used |= {entry.commodity for entry in self.cast.inflexible}
        used |= {name for name, sensors in self.terms.inflexible_of.items() if sensors}
        if not used:
            raise BadField("flex-model", "names no device to be scheduled")
        order = sorted(used, key=lambda name: (name != ELECTRICITY, name))
        found = [terms.market(self.terms, name, self._anyway(name), self.reader) for name in order]
        found.sort(key=lambda market: market.internal)  # stable: one with prices comes first
        return tuple(found)

    def _fullness(self, market: Market) -> FloatArray:
        """What FlexMeasures charges for a storage that is not full, by the prices it knows."""
        fields = self.terms.by_commodity.get(market.commodity)
        price = np.zeros(self.reader.grid.n)
        if fields is not None and fields.has("consumption-price"):
            path = fields.at("consumption-price")
            amount = self.reader.amount(fields.data["consumption-price"], path, ["energy-price"])
            price = self.reader.values(amount)
            price = price if amount.segments is None else edges(price)
        return fullness(self.reader.grid, price)

    def _group(self, key: Key, entry: Entry) -> Group:
        members = self.cast.members(key)
        fixed = self._sum_fixed(members)
        whole = terms.power(entry.fields, "power-capacity", self.reader)
        hard = None if whole is None else np.where(np.isnan(whole), np.inf, np.maximum(whole, 0.0))
        soft = []
        for way in ("consumption", "production"):
            values = terms.power(entry.fields, f"{way}-capacity", self.reader)
            most = np.inf if hard is None else hard
            soft.append(
                None if values is None else Soft(
                    np.clip(np.where(np.isnan(values), most, values), 0.0, most),
                    GROUP_BREACH_PRICE,
                )
            )  # fmt: skip
        name = f"{key[0]}:{key[1]}"
        return Group(name, self._free(members), fixed, hard, soft[0], soft[1])

    def _free(self, members: Iterable[Entry]) -> tuple[str, ...]:
        return tuple(entry.name for entry in members if entry.name not in self.fixed)

    def _sum_fixed(self, members: Iterable[Entry]) -> FloatArray:
        return sum((self.fixed[e.name] for e in members if e.name in self.fixed),
                   start=np.zeros(self.reader.grid.n))  # fmt: skip

    def _commitments(self, made: Iterable[Device]) -> Iterator[Commitment]:
        listed: list[tuple[Fields, str | None]] = [
            (one, None) for one in self.context.objects("commitments")
        ]
        for name, fields in self.terms.by_commodity.items():
            if fields.path != self.context.path:
                listed += [(one, name) for one in fields.objects("commitments")]
        for fields, commodity in listed:
            made_one = self._commitment(fields, commodity, list(made))
            if made_one is not None:
                yield made_one

    def _commitment(
        self, fields: Fields, commodity: str | None, made: list[Device]
    ) -> Commitment | None:
        fields.refuse_unknown(("name", "baseline", "up-price", "down-price", "commodity",
                               "sensors", "group"))  # fmt: skip
        name = fields.text("name")
        if not fields.has("baseline"):
            fields.fail("baseline", "is missing: a commitment needs one, such as '0 kW'")
        if not fields.has("up-price") and not fields.has("down-price"):
            fields.fail("up-price", "or down-price is missing")
        baseline = self.reader.values(
            self.reader.amount(fields.data["baseline"], fields.at("baseline"), ["power"])
        )
        up, down = (self._deviation(fields, key) for key in ("up-price", "down-price"))
        if commodity is None:
            commodity = fields.text("commodity") if fields.has("commodity") else ELECTRICITY
        members, fixed = self._scope(fields, commodity, made)
        among = {one.commodity for one in made if one.name in members}
        if len(among) > 1:
            fields.fail("sensors", f"share no commodity: {' and '.join(sorted(among))}")
        if not members and not fixed.any():
            self.reader.notes.append(f"{fields.path}: binds no device")
            return None
        scoped = fields.has("group") or fields.has("sensors")
        of_site = commodity == ELECTRICITY and not scoped
        return Commitment(name, baseline, up, down, members, fixed, of_site)

    def _deviation(self, fields: Fields, key: str) -> FloatArray:
        """Money per kW and step."""
        grid = self.reader.grid
        if not fields.has(key):
            return np.zeros(grid.n)
        wanted: list[Dimension] = ["energy-price", "power-price"]
        amount = self.reader.amount(fields.data[key], fields.at(key), wanted)
        if self.reader.currency == "kg":
            fields.fail(key, "should be in a currency: commitments are paid for")
        price = np.nan_to_num(self.reader.values(amount))
        per_step = amount.dimension == "power-price" and self.compat == COMPAT
        return price if per_step else price * grid.hours

    def _scope(
        self, fields: Fields, commodity: str, made: list[Device]
    ) -> tuple[tuple[str, ...], FloatArray]:
        if fields.has("sensors") and fields.has("group"):
            fields.fail("sensors", "and group exclude each other")
        if fields.has("group"):
            key = group_key(fields.object("group"), self.reader)
            members = self.cast.members(key)
            return self._free(members), self._sum_fixed(members)
        if fields.has("sensors"):
            return self._by_sensors(fields)
        names = tuple(device.name for device in made if device.commodity == commodity)
        return names, self._anyway(commodity)

    def _by_sensors(self, fields: Fields) -> tuple[tuple[str, ...], FloatArray]:
        names, fixed, seen = [], np.zeros(self.reader.grid.n), set[str]()
        for number, raw in enumerate(fields.items("sensors")):
            wanted = raw.get("sensor") if isinstance(raw, dict) else raw
            if str(wanted) not in self.reader.source.sensors:
                fields.fail(f"sensors[{number}]", f"there is no sensor {wanted!r}")
            if str(wanted) in seen:
                fields.fail(f"sensors[{number}]", f"{wanted!r} is listed twice")
            seen.add(str(wanted))
            names += [e.name for e in self.cast.devices
                      if e.sensor is not None and e.sensor.name == str(wanted)]  # fmt: skip
            if str(wanted) in self.terms.inflexible:
                fixed = fixed + self.terms.inflexible[str(wanted)]
            for entry in self.cast.inflexible:
                for key in ("inflexible-consumption", "inflexible-production"):
                    reference = entry.fields.object(key) if entry.fields.has(key) else None
                    if reference is not None and str(reference.data.get("sensor")) == str(wanted):
                        fixed = fixed + self.fixed[entry.name]
        return tuple(names), fixed

    def _outputs(self, made: Iterable[Device]) -> Iterator[Output]:
        zero = np.zeros(self.reader.grid.n)
        for entry in self.cast.devices:
            name = (entry.name,)
            if entry.sensor is not None:
                yield Output(entry.sensor, name, zero)
            yield from split(entry.consumption, entry.production, name, zero)
        for key, entry in self.cast.groups.items():
            members = self.cast.members(key)
            names, fixed = self._free(members), self._sum_fixed(members)
            if entry.sensor is not None:
                yield Output(entry.sensor, names, fixed)
            yield from split(entry.consumption, entry.production, names, fixed)
        for commodity, fields in self.terms.by_commodity.items():
            names = tuple(device.name for device in made if device.commodity == commodity)
            anyway = self._anyway(commodity)
            if not names and not anyway.any():
                continue
            up, down, power = (
                self.reader.output(fields, key)
                for key in ("aggregate-consumption", "aggregate-production", "aggregate-power")
            )
            yield from split(up, down, names, anyway)
            if power is not None:
                yield Output(power, names, anyway)
