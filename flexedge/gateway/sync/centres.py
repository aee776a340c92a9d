"""All centres the gateway is linked with: each begins and ends while everything else goes on."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from typing import Protocol

from flexedge.cloud.central import Central
from flexedge.cloud.pace import Pace
from flexedge.config.centre import CentreRules
from flexedge.gateway.health import Health
from flexedge.gateway.sync.duty import Duty, Linked
from flexedge.gateway.sync.lags import Lag
from flexedge.gateway.sync.linking import Office
from flexedge.gateway.sync.sync import Sync
from flexedge.store.tables.centres import Centre


class Running(Protocol):
    """The thread of one centre."""

    def wake(self) -> None:
        """Let it step now rather than when it is due."""

    def end(self) -> None:
        """End it, after the present step; not waited for longer than a moment."""


Connect = Callable[[int, Centre, CentreRules], tuple[Central, Pace]]
"""How a centre is reached: by its number, what is kept of it, and the rules."""
Spawn = Callable[[Sync], Running]


class Centres:
    """Begins what was linked, ends what was unlinked. Safe to use from any thread.

    ``office``: what people link by. ``duties``: what is done with a centre, in this order where
    all is due.
    """

    def __init__(
        self,
        office: Office,
        health: Health,
        connect: Connect,
        duties: Callable[[Linked], tuple[Duty, ...]],
    ) -> None:
        self._office = office
        self._health = health
        self._connect = connect
        self._duties = duties
        self._lock = threading.Lock()
        self._running: dict[int, tuple[Sync, Running]] = {}
        self._ended = False
        self.spawn: Spawn | None = None
        """Starts the thread of a centre; the daemon's. None: nothing runs, as in a test or while
        memory stands in for the disk."""

        self.lags: Callable[[int, datetime], Sequence[Lag]] = lambda _centre, _now: ()
        """How far a centre, by its number, knows each sensor."""

    @property
    def linkable(self) -> Office | None:
        """What people link by, while what is linked runs."""
        return None if self.spawn is None else self._office

    def refresh(self) -> None:
        """Bring what runs in step with what is linked: to be called after each change of it."""
        with self._lock:
            known = {} if self._ended else self._office.state.centres.all()
            for number, (sync, running) in tuple(self._running.items()):
                if known.get(number) != sync.linked.centre:
                    del self._running[number]
                    running.end()
            for number, centre in known.items():
                if number not in self._running and self.spawn is not None:
                    sync = self._sync(number, centre)
                    self._running[number] = sync, self.spawn(sync)

    def _sync(self, number: int, centre: Centre) -> Sync:
        rules = self._office.rules(centre.name)
        central, pace = self._connect(number, centre, rules)
        linked = Linked(number, centre, rules, central)
        sync = Sync(linked, self._duties(linked), pace, self._health)
        sync.lags = partial(self.lags, number)
        return sync

    def ask(self, name: str | None = None) -> tuple[str, ...]:
        """Have all done at once that could be; of one centre, or (None) of each. Returns whom."""
        with self._lock:
            some = [
                (sync, running)
                for sync, running in self._running.values()
                if name in (None, sync.linked.centre.name)
            ]
        for sync, running in some:
            sync.ask()
            running.wake()
        return tuple(sync.linked.centre.name for sync, _ in some)

    @contextmanager
    def resting(self, name: str) -> Iterator[None]:
        """Have nothing done with a centre meanwhile: who links or unlinks takes turns with it.

        Raises ``RequestError`` 409 where what is under way takes too long.
        """
        some = [one for one in self.syncs if one.linked.centre.name == name]
        with ExitStack() as stack:
            for sync in some:
                stack.enter_context(sync.resting())
            yield

    @property
    def syncs(self) -> tuple[Sync, ...]:
        """Those that run, in the order in which they were linked."""
        with self._lock:
            return tuple(self._running[number][0] for number in sorted(self._running))

    def end(self) -> None:
        """End all of them, for good."""
        self._ended = True
        self.refresh()
