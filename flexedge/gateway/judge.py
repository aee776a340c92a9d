"""Whether edits can lie over the site file: well said, and within what the installer allows."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from flexedge.config.centre import CentreRules
from flexedge.config.check import LoadedSite
from flexedge.config.overlay import overlaid, words
from flexedge.config.site import Site
from flexedge.errors import ConfigError
from flexedge.gateway.amended import Amendment, Change, is_laid, laid_with, looser, overlay
from flexedge.gateway.field import unfit
from flexedge.gateway.plant import Plant
from flexedge.store.state import State

Laid = tuple[Amendment, ...]
"""What lies over the site file."""


class Judge:
    """Knows the site file. ``plant``: as the file has it when this is made."""

    def __init__(self, loaded: LoadedSite, plant: Plant, state: State) -> None:
        self._loaded = loaded
        self._plant = plant
        self._state = state
        self._written = plant.units

    def name(self, number: int) -> str | None:
        """What one of our sensors is called in the site file."""
        sensor = self._state.sensors().get(number)
        return None if sensor is None else sensor.name

    def site(self, laid: Laid) -> Site:
        """The site file with edits over it. Raises ``ConfigError``."""
        return overlaid(self._loaded, overlay(laid, self._state.assets.all(), self.name)).site

    def over(self, laid: Laid, edits: Iterable[Amendment]) -> Laid:
        """With further edits, as far as they are about what the site file defines."""
        for one in edits:
            if is_laid(self._state.assets.get(one.number), one):
                laid = laid_with(laid, one)
        return laid

    def still(self, edits: Laid, now: datetime) -> tuple[Laid, Laid]:
        """Edits that fit the site file as it is now, and those that do not any more."""
        unwanted = [self._unwanted(one) for one in edits]
        if not any(unwanted) and not self._wrong(edits, edits, edits):
            return edits, ()
        laid: Laid = ()
        lost: Laid = ()
        for one, no_more in zip(edits, unwanted, strict=True):
            why = no_more or self._wrong((*laid, one), [one], edits)
            if why:
                why = f"the site file has changed: {why}"
                lost = (*lost, one.become("taken back", now, why))
            else:
                laid = (*laid, one)
        return laid, lost

    def _unwanted(self, edit: Amendment) -> str:
        """Why the site file does not want an edit any more, whatever its value; or empty."""
        accept = self._loaded.site.centres.get(edit.centre, CentreRules()).accept
        fields = {"flex_model": accept.flex_model, "flex_context": accept.flex_context}
        if edit.field in fields.get(edit.column, accept.attributes):
            return ""
        return f"{edit.field} is not accepted from {edit.centre} any more"

    def sort(
        self, laid: Laid, changes: Sequence[Change], now: datetime
    ) -> tuple[list[Change], list[Amendment]]:
        """Those that can take effect together over ``laid``; those that cannot, and why."""
        edits = [one.become("on trial", now) for one in changes]
        if not self._wrong(self.over(laid, edits), edits, laid):
            return list(changes), []
        good: list[Amendment] = []
        wrong = []
        for change, edit in zip(changes, edits, strict=True):
            why = self._wrong(self.over(laid, [*good, edit]), [*good, edit], laid)
            if why:
                wrong.append(change.become("refused", now, why))
            else:
                good.append(edit)
        places = {one.place for one in good}
        return [one for one in changes if one.place in places], wrong

    def _wrong(self, laid: Laid, edits: Sequence[Amendment], before: Laid) -> str:
        """Why edits cannot be; empty where they can."""
        try:
            site = self.site(laid)
        except ConfigError as error:
            return words(error)
        units = zip(self._written, self._plant.edited(site), strict=True)
        known = [other.place for other in before]
        wrong = [
            *(looser(old, new) for old, new in units),
            *(unfit(self._state, one, known, (*laid, *edits)) for one in edits),
        ]
        return "; ".join(why for why in wrong if why)
