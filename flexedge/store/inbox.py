"""New beliefs on their way into an archive: judged by what is held, kept, owed, told of."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from flexedge.store import rows
from flexedge.store.archive import Archive, Asked, Registry, Stamp
from flexedge.store.news import Verdict, news
from flexedge.store.rows import Readings, moment

RIGHT = Stamp("", 0, trusted=True)
"""For who knows that the clock is right."""
News = Callable[[rows.Beliefs], None]
"""Hears of beliefs after they are on the disk: quickly, from any thread, and never fails."""
_OWED = 200_000  # rows that wait while the disk refuses them


class Inbox:
    """One at a time may use it; ``Beliefs`` sees to that."""

    def __init__(self, archive: Archive, registry: Registry) -> None:
        self._archive = archive
        self._registry = registry
        self._owed: list[tuple[rows.Beliefs, bool]] = []
        self.on_news: News = lambda _: None
        """Hears what is kept."""

    def save(self, made: rows.Beliefs) -> None:
        """Keep what is new; on ``StoreError`` it is owed, and written when it can be."""
        verdict = self._judged(made)
        if sum(len(one) for one, _ in self._owed) > _OWED:
            self.pay()  # or no more can be owed
        if len(verdict.store):
            self._owed.append((verdict.store, len(verdict.replaced) > 0))
        self.pay()

    def post(self, made: rows.Beliefs, *, overwriting: bool) -> Verdict:
        """Keep what is new, or nothing where something would be replaced without leave.

        Raises ``StoreError``; nothing is kept or owed then.
        """
        self.pay()
        verdict = self._judged(made)
        replacing = len(verdict.replaced) > 0
        if len(verdict.store) and (overwriting or not replacing):
            self._commit(verdict.store, replacing=replacing)
        return verdict

    def pay(self) -> None:
        """Write what is owed; what is refused stays so."""
        while self._owed:
            made, replacing = self._owed[0]
            self._commit(made, replacing=replacing)
            del self._owed[0]

    def _commit(self, made: rows.Beliefs, *, replacing: bool) -> None:
        self._archive.commit(Readings.empty(), made, RIGHT, replacing=replacing)
        self.on_news(made)

    def _judged(self, made: rows.Beliefs) -> Verdict:
        known = self._registry.sensors()
        rules = {number: known[number].known for number in np.unique(made.sensor).tolist()}
        return news(made, self._held(made), rules)

    def _held(self, made: rows.Beliefs) -> rows.Beliefs:
        """What is held about the events of new beliefs: the last, or all where some came later."""
        if not len(made):
            return rows.Beliefs.empty()
        sensors, sources = (tuple(np.unique(one).tolist()) for one in (made.sensor, made.source))
        start, end = moment(made.event_us.min()), moment(made.event_us.max() + 1)
        asked = Asked(sensors, start, end, sources)
        held = self._archive.beliefs(asked, {})
        if len(held) and held.belief_us.max() >= made.belief_us.min():
            held = self._archive.beliefs(replace(asked, most_recent=False), {})
        owed = [
            one.take(np.isin(one.source, made.source) & np.isin(one.sensor, made.sensor))
            for one, _ in self._owed
        ]
        return rows.Beliefs.joined([held, *owed])
