"""Makes and links what is missing at a centre, and sends settings: so much at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from flexedge.cloud.central import Central
from flexedge.config.centre import Scope
from flexedge.errors import CentreRefused, RequestError
from flexedge.gateway.sync import sent
from flexedge.gateway.sync.build import Bench, Builder, links_of, missing, name_of
from flexedge.gateway.sync.ours import Ours
from flexedge.gateway.sync.settle import Wanted, all_wanted, settle
from flexedge.gateway.sync.steps import SameName, Step
from flexedge.gateway.sync.survey import Key
from flexedge.store.state import State
from flexedge.store.tables.centres import Centre, Link
from flexedge.store.tables.cursors import destination

_MOST: Final = 8
"""Things that are made at one go, and assets whose settings are sent."""
_GONE: Final = 404


class Joining:
    """One go. Raises ``CentreError`` and ``StoreError``; what was done until then is kept.

    ``left`` asks nobody: it is known from what is kept here.
    """

    def __init__(
        self, state: State, central: Central, number: int, mine: Ours, same_name: SameName,
        now: datetime,
    ) -> None:  # fmt: skip
        self._state, self._central, self._number = state, central, number
        self._ours, self._same_name, self._now = mine, same_name, now
        self.done: list[str] = []
        self.undecided: list[Step] = []
        self.edited: dict[str, tuple[str, ...]] = {}
        """By place, settings that were changed there, and here as well: left alone."""

    @property
    def _centre(self) -> Centre:
        found = self._state.centres.get(self._number)
        if found is None:
            raise RequestError(404, "The centre was unlinked meanwhile.")
        return found

    @property
    def refused(self) -> dict[str, str]:
        """What the centre did not take since linking began: things, and settings of things."""
        found, links = dict(self._refusals()), self._links()
        for one in self._wanted(links):
            if one.key in links:
                told = sent.refused_of(links[one.key])
                found |= {f"{path} of {one.path}": words for path, words in told.items()}
        return found

    def go_on(self, most: int = _MOST) -> None:
        """Make some of what is missing, then send settings."""
        room = most
        if missing(self._bench()):
            for built in Builder(self._bench()).run():
                if built.told:
                    self.done.append(built.told)
                elif built.refused:
                    self._refuse(name_of(built.step), built.refused)
                else:
                    self.undecided.append(built.step)
                room -= 1
                if room <= 0:
                    return
        if self.undecided:
            return
        for one in self._unsettled():
            self.settle(one)
            room -= 1
            if room <= 0:
                return

    def left(self) -> int:
        """How many things are missing, and of how many the settings are to be sent."""
        return len(missing(self._bench())) + len(self._unsettled())

    def settle(self, one: Wanted) -> None:
        """Send what changed of one thing's settings."""
        thing, local_id, role = one.key
        found = self._state.links.find(
            centre_id=self._number, thing=thing, local_id=local_id, role=role
        )  # fmt: skip
        link_id, link = next(iter(found.items()))
        try:
            settled = settle(self._central, link, one.settings)
        except CentreRefused as error:
            if error.status == _GONE:
                self._state.links.change(link_id, sent.gone(link, self._now))
                self.done.append(f"{one.path} is not there any more")
            else:
                self._refuse(_settings(one), error.message)
            return
        if settled.edited:
            self.edited[one.path] = settled.edited
        if settled.link != link:
            self._state.links.change(link_id, settled.link)
        if settled.sent:
            self.done.append(f"sent the settings of {one.path}")

    def complete(self) -> None:
        """Note that linking came to its end."""
        centre = self._centre
        if not centre.details.get("complete"):
            details = {**centre.details, "complete": True}
            self._state.centres.change(self._number, replace(centre, details=details))

    def _bench(self) -> Bench:
        return Bench(
            self._state, self._central, self._number, self._centre.account_id, self._ours,
            self._same_name, frozenset(self._refusals()),
        )  # fmt: skip

    def _links(self) -> dict[Key, Link]:
        return links_of(self._state, self._number)

    def _refusals(self) -> Mapping[str, str]:
        found = self._centre.details.get("refused", {})
        return found if isinstance(found, Mapping) else {}

    def _wanted(self, links: Mapping[Key, Link]) -> Iterator[Wanted]:
        keys = {number: one.name for number, one in self._state.sensors().items()}
        return all_wanted(self._ours, links, keys)

    def _unsettled(self) -> list[Wanted]:
        """What is there, and whose settings are not those that were sent last."""
        links, refused = self._links(), self._refusals()
        return [
            one for one in self._wanted(links)
            if one.key in links and not sent.is_gone(links[one.key])
            and _settings(one) not in refused and one.path not in self.edited
            and sent.changed(links[one.key], one.settings)
        ]  # fmt: skip

    def _refuse(self, name: str, words: str) -> None:
        centre = self._centre
        details = {**centre.details, "refused": {**self._refusals(), name: words}}
        self._state.centres.change(self._number, replace(centre, details=details))


def _settings(one: Wanted) -> str:
    return f"settings of {one.key[0]} {one.path}"


def begin_anew(state: State, number: int, scopes: Sequence[Scope]) -> Centre:
    """Let what was refused be tried again, and what was deleted there be made anew."""
    for link_id, one in state.links.find(centre_id=number).items():
        if sent.is_gone(one):
            if one.thing == "sensor":
                state.cursors.forget(destination(number, one.role), one.local_id)
            state.links.remove(link_id)
    centre = state.centres.get(number)
    if centre is None:
        raise RequestError(404, "The centre was unlinked meanwhile.")
    details = {
        key: one for key, one in centre.details.items() if key not in ("refused", "complete")
    }
    made = replace(centre, scopes=list(scopes), details=details)
    state.centres.change(number, made)
    return made
