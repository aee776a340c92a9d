"""The duty that tells the centre that the gateway lives, and how it fares.

Sensors of the site's asset at the centre, of its own making, with values of the present alone: what
was not told in time is not told later. The heartbeat comes each time; the rest when it changed,
else once an hour.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from flexedge.domain.runs import Run
from flexedge.domain.series import floor
from flexedge.errors import CentreRefused
from flexedge.gateway.health import Health
from flexedge.gateway.service.inventory import SITE
from flexedge.gateway.sync.duty import Linked, links_of
from flexedge.gateway.sync.ours import SOURCE_TYPES, gateway_id
from flexedge.gateway.sync.outbox import Outbox
from flexedge.gateway.sync.revised import ROLES
from flexedge.gateway.sync.seen import SPECS, status_specs
from flexedge.gateway.sync.settle import CHARTS
from flexedge.gateway.sync.there import MARK
from flexedge.store.state import State
from flexedge.store.tables.centres import Link

Json = dict[str, Any]
STEP: Final = timedelta(minutes=5)
"""How long the events of these sensors are; told is the last one that is over."""
HEARTBEAT: Final = "gateway heartbeat"
ROLE: Final = "health"
"""What the mark of these sensors has as their role."""
ABOUT: Final = "flexedge-gateway"
"""The attribute of the site's asset at the centre that says which gateway this is."""
_COUNT: Final = "dimensionless"
"""FlexMeasures knows no unit without a name."""
_REST: Final = timedelta(hours=1)
_HOURS: Final = timedelta(hours=1)
_MINUTES: Final = timedelta(minutes=1)
_DECIMALS: Final = 3


@dataclass(frozen=True, slots=True)
class Vital:
    """One thing told. ``read``: its value now; None where it is not known.

    ``band``: another value is told at once when it differs from the last one told by at least so
    much and by half of it; None: it may wait for the hour.
    """

    name: str
    unit: str
    read: Callable[[Linked, datetime], float | None]
    band: float | None = None
    every: timedelta | None = _REST
    """None: told each time."""

    def worth(self, value: float, last: tuple[datetime, float] | None, now: datetime) -> bool:
        """Whether a value is to be told now; ``last``: when what was told before."""
        if last is None or self.every is None or now - last[0] >= self.every:
            return True
        change = abs(value - last[1])
        return self.band is not None and change >= max(self.band, abs(last[1]) / 2)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is still to be sent to a centre."""

    values: int
    lag: timedelta
    """How old the oldest of it is; of forecasts and schedules, since it was due at the latest."""


def waiting_in(outbox: Outbox, state: State) -> Callable[[Linked, datetime], Waiting]:
    """How to find out what waits; looked at once for each moment."""
    seen: dict[int, tuple[datetime, Waiting]] = {}

    def waiting(linked: Linked, now: datetime) -> Waiting:
        known = seen.get(linked.number)
        if known is None or known[0] != now:
            links = state.links.find(centre_id=linked.number, thing="sensor").values()
            sent = [one for one in links if one.role in SOURCE_TYPES]
            found = [*zip((one.role for one in sent), outbox.waiting(*sent), strict=True)]
            later = linked.rules.sent_every(plans=True)
            due = [
                one.oldest_event + (later if role in ROLES else timedelta(0))
                for role, one in found if one.oldest_event is not None
            ]  # fmt: skip
            oldest = min(due, default=now)
            lag = max(now - oldest, timedelta(0))
            known = seen[linked.number] = now, Waiting(sum(one.count for _, one in found), lag)
        return known[1]

    return waiting


def vitals_of(
    health: Health,
    devices: Sequence[str],
    began: datetime,
    waiting: Callable[[Linked, datetime], Waiting | None],
) -> tuple[Vital, ...]:
    """What is told of a gateway with some devices that began to run at some moment."""

    def lag(linked: Linked, now: datetime) -> float | None:
        known = waiting(linked, now)
        return None if known is None else known.lag / _MINUTES

    def queue(linked: Linked, now: datetime) -> float | None:
        known = waiting(linked, now)
        return None if known is None else float(known.values)

    def away(_linked: Linked, now: datetime) -> float:
        return float(sum(health.device(name).state(now) == "lost" for name in devices))

    return (
        Vital(HEARTBEAT, _COUNT, lambda _linked, _now: 1.0, every=None),
        Vital("gateway uptime", "h", lambda _linked, now: (now - began) / _HOURS),
        Vital("gateway devices away", _COUNT, away, band=1.0),
        Vital("gateway alarms", _COUNT, lambda _linked, _now: float(len(health.alarms)), band=1.0),
        Vital("gateway sync lag", "min", lag, band=15.0),
        Vital("gateway queue", _COUNT, queue, band=1000.0),
    )


class Vitals:
    """Tells all of it of one gateway to one centre. ``about``: what else its asset shows there."""

    name = "vitals"

    def __init__(self, state: State, vitals: Sequence[Vital], about: Mapping[str, str]) -> None:
        self._state = state
        self._vitals = vitals
        self._about = about
        self._numbers: Mapping[str, int] | None = None
        """Of the sensors at the centre, by name; None: not looked at yet."""
        self._told: dict[str, tuple[datetime, float]] = {}
        self._introduced = False
        self._posted = 0

    def counts(self) -> Mapping[str, int]:
        """What was told."""
        return {"signs of life": self._posted}

    def step(self, linked: Linked, now: datetime) -> datetime:
        """Tell what there is to tell. Raises ``CentreError``, ``StoreError``."""
        site = self._site(linked) if linked.may("health") else None
        if site is None:
            return now + _REST
        asset = site[1].central_id
        try:
            if self._numbers is None:
                self._numbers = self._found(linked, asset)
                self._show(site[0], self._numbers[HEARTBEAT])
            for vital in self._vitals:
                self._tell(linked, vital, self._numbers[vital.name], now)
            if not self._introduced:
                self._introduce(linked, asset)
        except CentreRefused:
            self._numbers = None  # deleted there, perhaps: look again
            raise
        return now + linked.rules.heartbeat

    def _site(self, linked: Linked) -> tuple[int, Link] | None:
        """The link of the site's asset, or (without a site) that of the first, and its number."""
        links = self._state.links.find(centre_id=linked.number, thing="asset")
        known = links_of(links, linked.number)
        assets = self._state.assets.all()
        mine = [one for one in sorted(assets) if ("asset", one, "") in known]
        site = [one for one in mine if assets[one].defined_as == SITE]
        chosen = next(iter(site or mine), None)
        if chosen is None:
            return None
        number = known["asset", chosen, ""]
        return number, links[number]

    def _show(self, number: int, heartbeat: int) -> None:
        """Have the heartbeat among the charts there: the status page has what charts show."""
        charts, link = [{"title": "Gateway", "sensors": [heartbeat]}], self._state.links.get(number)
        if link is not None and link.details.get(CHARTS) != charts:
            self._state.links.change(
                number, replace(link, details={**link.details, CHARTS: charts})
            )

    def _found(self, linked: Linked, asset: int) -> Mapping[str, int]:
        """The sensors there; those that are missing are made, wrong attributes are put right."""
        there = {str(one["name"]): one for one in linked.central.sensors(asset)}
        numbers = {}
        for vital in self._vitals:
            every = linked.rules.heartbeat if vital.every is None else vital.every
            ours = {
                SPECS: status_specs("", STEP, every),
                MARK: {"gateway": gateway_id(self._state), "sensor": vital.name, "role": ROLE},
            }
            known = there.get(vital.name)
            if known is None:
                numbers[vital.name] = linked.central.add_sensor({
                    "name": vital.name, "unit": vital.unit, "event_resolution": "PT5M",
                    "generic_asset_id": asset, "timezone": "UTC", "attributes": ours,
                })  # fmt: skip
                continue
            numbers[vital.name] = number = int(known["id"])
            attributes = known.get("attributes") or {}
            if any(attributes.get(key) != value for key, value in ours.items()):
                linked.central.change_sensor(number, {"attributes": {**attributes, **ours}})
        return numbers

    def _tell(self, linked: Linked, vital: Vital, number: int, now: datetime) -> None:
        value = vital.read(linked, now)
        if value is None or not vital.worth(value, self._told.get(vital.name), now):
            return
        event = floor(now, STEP) - STEP
        run = Run(event, STEP, (round(value, _DECIMALS),), vital.unit, prior=now)
        linked.central.post(number, run)
        self._told[vital.name] = (now, value)
        self._posted += 1

    def _introduce(self, linked: Linked, asset: int) -> None:
        """Say in an attribute of the site's asset which gateway this is.

        Once for each start: attributes are replaced as a whole, and who edits others at the same
        moment would be overwritten.
        """
        attributes = linked.central.asset(asset).get("attributes") or {}
        mark = attributes.get(ABOUT)
        kept = mark if isinstance(mark, dict) else {}
        ours = {**kept, "gateway": gateway_id(self._state), **self._about}
        if mark != ours:
            linked.central.change_asset(asset, {"attributes": {**attributes, ABOUT: ours}})
        self._introduced = True
