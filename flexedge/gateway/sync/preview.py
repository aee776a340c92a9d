"""What linking would do, in words: nothing is changed."""

from typing import Final

from flexedge.cloud.central import Central
from flexedge.gateway.sync import sent
from flexedge.gateway.sync.build import links_of
from flexedge.gateway.sync.ours import Ours
from flexedge.gateway.sync.settle import Wanted, all_wanted
from flexedge.gateway.sync.steps import SameName, Step
from flexedge.gateway.sync.survey import Key, Survey
from flexedge.gateway.sync.there import There
from flexedge.store.state import State
from flexedge.store.tables.centres import Link

_NEW: Final = -1
"""What stands for the number of what is still to be made."""
_MOST_TOLD: Final = 6


class Preview:
    """Looks at a centre as linking would. Raises ``CentreError``."""

    def __init__(
        self, state: State, central: Central, centre_id: int, account_id: int, mine: Ours,
        same_name: SameName,
    ) -> None:  # fmt: skip
        self._state, self._ours = state, mine
        self._there = There(central, account_id)
        known = links_of(state, centre_id)
        self._gone = {key for key, one in known.items() if sent.is_gone(one)}
        self._links = {key: one for key, one in known.items() if key not in self._gone}
        types = central.asset_types()
        self._survey = Survey(mine, self._there, self._links, types.keys(), same_name)
        self._steps: tuple[Step, ...] | None = None

    def steps(self) -> tuple[Step, ...]:
        """What becomes of each asset and sensor."""
        if self._steps is None:
            self._steps = tuple(self._survey.steps())
        return self._steps

    def notes(self) -> tuple[str, ...]:
        """What of settings will be another there, or cannot be sent."""
        numbers: dict[Key, Link] = dict(self._links)
        for step in self.steps():
            if step.way not in ("have", "leave"):
                key = (step.thing, step.local_id, step.role)
                number = _NEW if step.central_id is None else step.central_id
                numbers[key] = Link(0, step.thing, step.local_id, number, step.role)
        keys = {number: one.name for number, one in self._state.sensors().items()}
        told = []
        for one in all_wanted(self._ours, numbers, keys):
            told += _lost(one)
            if one.key[0] == "asset":
                told += self._changes(one, numbers)
        return tuple(told)

    def _changes(self, one: Wanted, links: dict[Key, Link]) -> list[str]:
        """Settings of an asset that is there which will be ours."""
        link = links.get(one.key)
        if link is None or link.central_id not in self._there.assets:
            return []
        theirs = sent.flat(self._there.assets[link.central_id])
        differing = [
            path for path in sent.difference(link, theirs, one.settings).send
            if not path.startswith("attributes.flexedge")
        ]  # fmt: skip
        if not differing:
            return []
        more = f" and {len(differing) - _MOST_TOLD} more" if len(differing) > _MOST_TOLD else ""
        return [f"{one.path}: {', '.join(differing[:_MOST_TOLD])}{more} will be as they are here"]


def _lost(one: Wanted) -> list[str]:
    if not one.left_out:
        return []
    names = ", ".join(one.left_out)
    return [f"{one.path}: its settings refer to {names}, which the centre does not get: left out"]
