"""The duty that brings edits of the centre's admin pages: pulled, never pushed back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from flexedge.errors import CentreRefused
from flexedge.gateway.amend import Amendments
from flexedge.gateway.amended import Column
from flexedge.gateway.sync import translated
from flexedge.gateway.sync.diff import (
    Difference,
    Json,
    Numbers,
    Seen,
    difference,
    refusals,
    told,
)
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.sent import flat
from flexedge.gateway.sync.veto import vetoed
from flexedge.store.state import State
from flexedge.store.tables.centres import Link

_REQUESTS: Final = 4  # in one step
_QUICK: Final = timedelta(seconds=10)
_GONE: Final = (403, 404, 410, 422)  # FlexMeasures says 422 of a number it does not know
Links = Mapping[int, Link]


@dataclass(slots=True)
class _Round:
    """One look at everything that is linked, over as many steps as it takes."""

    began: datetime
    waiting: list[int]
    """Numbers of links of assets that are still to be read."""
    sensors: list[int] = field(default_factory=list)
    """The same, of assets whose sensors are still to be read."""
    found: list[Difference] = field(default_factory=list)


class Edits:
    """One centre's. Raises what a duty raises."""

    name = "edits"

    def __init__(self, state: State, amendments: Amendments) -> None:
        self._state = state
        self._amendments = amendments
        self._round: _Round | None = None

    def counts(self) -> Mapping[str, int]:
        """How many edits of all centres are what now."""
        fates = [one.fate for one in self._amendments.all()]
        return {fate: fates.count(fate) for fate in sorted(set(fates))}

    def step(self, linked: Linked, now: datetime) -> datetime:
        """Read a few linked assets; when all are read, see what somebody edited."""
        rules, centre = linked.rules, linked.centre.name
        trial = self._amendments.trial
        if not linked.may("edits") or vetoed(self._state) is not None:
            if trial is not None and trial.centre == centre:
                self._amendments.take_back("nothing of this centre takes effect any more", now)
            self._round = None
            return now + rules.poll
        links = self._state.links.find(centre_id=linked.number)
        turn = self._round
        if turn is None or now - turn.began > rules.poll:
            self._round = turn = _Round(now, _assets(links))
        self._read(linked, turn, links, now)
        if turn.waiting or turn.sensors:
            return now
        changes = [change for one in turn.found for change in one.changes]
        refused = refusals(turn.found, now)
        self._amendments.offer(centre, changes, refused, rules.accept.confirm_within, now)
        self._round = None
        return self._again(linked, now)

    def _again(self, linked: Linked, now: datetime) -> datetime:
        """Soon while something is on trial: it lasts only while the centre answers."""
        trial = self._amendments.trial
        if trial is None or trial.centre != linked.centre.name:
            return now + linked.rules.poll
        soon = now + min(linked.rules.poll, max(trial.silence / 4, _QUICK))
        return min(soon, trial.until) if trial.until > now else soon

    def _read(self, linked: Linked, turn: _Round, links: Links, now: datetime) -> None:
        numbers = Numbers.of(links.values())
        for _ in range(_REQUESTS):
            if turn.waiting:
                self._asset(linked, turn, links, numbers)
            elif turn.sensors:
                self._sensors(linked, turn, links)
            else:
                break
            self._amendments.heard(linked.centre.name, now)

    def _asset(self, linked: Linked, turn: _Round, links: Links, numbers: Numbers) -> None:
        number = turn.waiting[0]
        link = links.get(number)
        asset = None if link is None else self._state.assets.get(link.local_id)
        if link is not None and asset is not None:
            try:
                there = linked.central.asset(link.central_id)
            except CentreRefused as error:
                if error.status not in _GONE:
                    raise
            else:
                here: dict[Column, Json] = {
                    "flex_model": asset.flex_model, "flex_context": asset.flex_context,
                    "attributes": asset.attributes,
                }  # fmt: skip
                seen = Seen(linked.centre.name, link, asset.name, here, there)
                self._compare(linked, turn, number, seen, numbers)
                if linked.rules.accept.attributes:
                    turn.sensors.append(number)
        turn.waiting.pop(0)

    def _sensors(self, linked: Linked, turn: _Round, links: Links) -> None:
        link = links.get(turn.sensors[0])
        try:
            some = () if link is None else linked.central.sensors(link.central_id)
        except CentreRefused as error:
            if error.status not in _GONE:
                raise
            some = ()
        mine = {
            one.central_id: number
            for number, one in links.items()
            if (one.thing, one.role) == ("sensor", "")
        }
        for there in some:
            number = mine.get(there.get("id", 0))
            if number is not None:
                self._sensor(linked, turn, number, there)
        turn.sensors.pop(0)

    def _sensor(self, linked: Linked, turn: _Round, number: int, there: Json) -> None:
        link = self._state.links.get(number)
        placed = None if link is None else self._state.placed.get(link.local_id)
        if link is None or placed is None:
            return
        here: dict[Column, Json] = {"attributes": placed.attributes}
        seen = Seen(linked.centre.name, link, placed.key, here, there)
        self._compare(linked, turn, number, seen, Numbers({}, {}))

    def _compare(
        self, linked: Linked, turn: _Round, number: int, seen: Seen, numbers: Numbers
    ) -> None:
        found = difference(seen, numbers, linked.rules.accept)
        turn.found.append(found)
        if found.alike:
            ours = _as_sent(seen.here, self._state.links.find(centre_id=linked.number))
            self._state.links.change(number, told(seen.link, found.alike, ours))


def _as_sent(here: Mapping[Column, Json], links: Links) -> Json:
    """Settings as they would be sent, by path."""
    known = links.values()
    numbers = translated.Numbers(
        {one.local_id: one.central_id for one in known if one.thing == "asset"},
        {(one.local_id, one.role): one.central_id for one in known if one.thing == "sensor"},
    )
    translator = translated.Translator(numbers)
    return flat({
        column: fields if column == "attributes" else translator.flex(fields)
        for column, fields in here.items()
    })  # fmt: skip


def _assets(links: Links) -> list[int]:
    return [number for number, one in links.items() if one.thing == "asset"]
