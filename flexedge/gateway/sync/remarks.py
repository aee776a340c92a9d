"""The duty that tells a centre of alarms and overrides, as annotations.

Each is told when it begins and once more when it is over, then with its end. What is to be told is
kept with its final words before it is sent, and a server that is told the same words about the same
span again keeps them once: so nothing is told twice, wherever it is cut off.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

from flexedge.errors import CentreRefused
from flexedge.gateway.gateway import Gateway
from flexedge.gateway.health import Health
from flexedge.gateway.sync.duty import Linked
from flexedge.store.state import State

EVERY: Final = timedelta(seconds=30)
LONGEST: Final = 1024
"""Letters of an annotation."""
MOST: Final = 200
"""Occasions that are kept while the centre is away; of more the oldest are given up."""
HANDFUL: Final = 4
GRACE: Final = timedelta(minutes=2)
"""After a start what was wrong before gets so long to be wrong again."""
_AT_LEAST: Final = timedelta(minutes=1)  # an annotation ends after it starts
_ABOUT_WORDS: Final = frozenset({400, 409, 422})
_SITE: Final = ""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that people at the centre should see beside the values."""

    key: str
    """The same while it goes on."""
    words: str
    start: datetime
    kind: str
    """FlexMeasures' type: "alert" or "label"."""
    asset: str = _SITE
    """What the site file calls the asset it is about; "" is the site."""
    end: datetime | None = None
    """When it will be over; None: nobody knows."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """An occasion as it goes on and is told."""

    occasion: Occasion
    begun_told: bool = False
    over: datetime | None = None
    refused: bool = False


_KEPT: Final = TypeAdapter(tuple[_Kept, ...])
Occasions = Callable[[datetime], Iterable[Occasion]]


def occasions(health: Health, gateway: Gateway | None) -> Occasions:
    """Alarms, and with a site what people ask of its assets."""
    whose = {} if gateway is None else _by_device(gateway)

    def found(now: datetime) -> Iterator[Occasion]:
        for alarm in health.raised:
            if not alarm.about.removeprefix("loop ").startswith("centre "):
                asset = whose.get(alarm.about.removeprefix("device "), _SITE)
                yield Occasion(alarm.about, alarm.message, alarm.since or now, "alert", asset)
        if gateway is None:
            return
        for one in gateway.overrides.overrides(now):
            words = f"{one.asset}: {one.sentence(gateway.plant.zone)}"
            yield Occasion(f"asked {one.number}", words, one.since, "label", one.asset, one.until)
        for limit in gateway.overrides.limits(now):
            sides = ((limit.low_kw, "least"), (limit.high_kw, "most"))
            said = ", ".join(f"at {name} {kw:g} kW" for kw, name in sides if kw is not None)
            words = f"limit by {limit.who}: {limit.asset or 'grid connection'} {said}"
            key = f"asked {limit.number}"
            yield Occasion(key, words, limit.since, "label", limit.asset or _SITE, limit.until)

    return found


class Tell:
    """For one centre and one thread."""

    name = "annotations"

    def __init__(self, state: State, occasions: Occasions) -> None:
        self._state = state
        self._occasions = occasions
        self._began: datetime | None = None
        self._seen: frozenset[str] = frozenset()
        self._told = 0
        self._refused = 0

    def counts(self) -> Mapping[str, int]:
        """What was done since the start."""
        return {"annotations": self._told, "refused": self._refused}

    def step(self, linked: Linked, now: datetime) -> datetime:
        """Note what begins and ends, and tell some of what is not told yet."""
        if not linked.may("annotations"):
            return now + EVERY
        self._began = self._began or now
        fact = f"sync.{linked.number}.annotations"
        before = self._read(fact)
        kept = self._noted(before, now)
        if kept != before:
            self._keep(fact, kept)
        assets = self._assets(linked)
        for _ in range(HANDFUL):
            place = next((n for n, one in enumerate(kept) if self._open(one, assets)), None)
            if place is None:
                return now + EVERY
            done = self._tell(linked, kept[place], assets)
            kept = (*kept[:place], *done, *kept[place + 1 :])
            self._keep(fact, kept)
        return now

    def _noted(self, kept: tuple[_Kept, ...], now: datetime) -> tuple[_Kept, ...]:
        found = {one.key: one for one in self._occasions(now)}
        self._seen |= found.keys()
        noted = []
        for one in kept:
            key = one.occasion.key
            began = self._began or now
            over = one.over
            if over is None and key not in found and (key in self._seen or now - began >= GRACE):
                planned = one.occasion.end
                over = now if planned is None else min(now, planned)
            noted.append(replace(one, over=over))
        goes_on = {one.occasion.key for one in noted if one.over is None}
        noted += [_Kept(one) for key, one in found.items() if key not in goes_on]
        noted = [one for one in noted if not (one.refused and one.over)]
        return tuple(noted[-MOST:])

    def _open(self, one: _Kept, assets: Mapping[str, int]) -> bool:
        """Whether there is something to tell of it, and somebody to tell it of."""
        whom = one.occasion.asset in assets or _SITE in assets
        return whom and not one.refused and (not one.begun_told or one.over is not None)

    def _tell(self, linked: Linked, one: _Kept, assets: Mapping[str, int]) -> tuple[_Kept, ...]:
        """Tell one thing; what is left to keep of the occasion."""
        occasion = one.occasion
        asset = assets.get(occasion.asset, assets.get(_SITE, 0))
        planned = occasion.end is not None and one.over == occasion.end
        if one.over is not None and planned and one.begun_told:
            return ()  # its end was told when it began
        end = one.over or occasion.end or occasion.start
        ended = one.over is not None and not planned
        words = occasion.words[: LONGEST - len(_OVER)] + (_OVER if ended else "")
        fields = {
            "content": words, "start": occasion.start.isoformat(), "type": occasion.kind,
            "end": max(end, occasion.start + _AT_LEAST).isoformat(),
        }  # fmt: skip
        try:
            linked.central.annotate("assets", asset, fields)
        except CentreRefused as refused:
            if refused.status not in _ABOUT_WORDS:
                raise
            self._refused += 1
            return () if one.over is not None else (replace(one, refused=True),)
        self._told += 1
        return () if one.over is not None else (replace(one, begun_told=True),)

    def _assets(self, linked: Linked) -> Mapping[str, int]:
        """Numbers at the centre by what the site file calls an asset; of what has no site: ""."""
        ours = self._state.assets.all()
        found: dict[str, int] = {}
        for link in self._state.links.find(centre_id=linked.number, thing="asset").values():
            asset = ours.get(link.local_id)
            if asset is not None and asset.defined_as is not None:
                found[asset.defined_as] = link.central_id
            elif asset is not None and asset.parent_id is None:
                found.setdefault(_SITE, link.central_id)
        return found

    def _read(self, fact: str) -> tuple[_Kept, ...]:
        try:
            return _KEPT.validate_json(self._state.fact(fact) or "[]")
        except ValidationError:
            return ()

    def _keep(self, fact: str, kept: tuple[_Kept, ...]) -> None:
        self._state.remember(fact, _KEPT.dump_json(kept).decode())


_OVER: Final = " (over)"


def _by_device(gateway: Gateway) -> Mapping[str, str]:
    """The asset that a device belongs to, of devices that belong to one alone."""
    owners: dict[str, list[str]] = {}
    for unit in gateway.plant.units:
        if unit.asset.device is not None:
            owners.setdefault(unit.asset.device, []).append(unit.name)
    return {device: assets[0] for device, assets in owners.items() if len(assets) == 1}
