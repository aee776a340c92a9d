"""Edits from a centre over the site file: checked like it, within it, and first on trial.

An edit is on disk before it is in force. It goes back by itself when a device or the centre is
lost, no plan can be made, or nobody knows what time it is; and, when in doubt, after a start.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from flexedge.config.check import LoadedSite
from flexedge.gateway.amended import (
    Amendment,
    Change,
    Kept,
    Trial,
    entry,
    is_laid,
    keep,
    kept,
    shown,
)
from flexedge.gateway.field import put
from flexedge.gateway.health import Health
from flexedge.gateway.judge import Judge
from flexedge.gateway.plant import Plant
from flexedge.gateway.service.inventory import bring_in
from flexedge.gateway.sync.ours import site_account
from flexedge.store.state import State
from flexedge.store.tables.audit import Entry

_ALARM: Final = "centre edits"
_LOST: Final = "centre edits-lost"
_MOST: Final = 200  # edits that are remembered as refused
_STARTS: Final = 2  # of the program in one trial; more, and the edit may be why
_NOWHERE: Final = object()
_log = structlog.get_logger()


class Amendments:
    """What was edited elsewhere. Safe to use from any thread."""

    def __init__(self, loaded: LoadedSite, plant: Plant, state: State, health: Health) -> None:
        self._judge = Judge(loaded, plant, state)
        self._plant = plant
        self._state = state
        self._health = health
        self._lock = threading.RLock()
        self._kept = self._read()
        self.trouble: Callable[[], str] = lambda: ""
        """Why no plan can be made; the planner's."""
        self.meanwhile: Callable[[Callable[[], None]], None] = lambda change: change()
        """Does something while no plan is being made; the planner's."""

    def _read(self) -> Kept:
        found = kept(self._state)
        if found is None:
            self._health.alarm(_LOST, "edits of the last run cannot be read: the site file holds")
        return found or Kept()

    def _keep(self, some: Kept, *entries: Entry) -> None:
        """Keep on disk, then hold. Raises ``StoreError`` and holds what was."""
        keep(self._state, some)
        self._kept = some
        if entries:
            self._note(*entries)
        self._tell()

    def _note(self, *entries: Entry) -> None:
        account = site_account(self._state)
        self._state.audit.add(*(replace(one, account_id=account) for one in entries))

    def _tell(self) -> None:
        wrong = [self.shown(one).sentence for one in self._kept.told]
        self._health.alarm(_ALARM, "; ".join(wrong))

    @property
    def trial(self) -> Trial | None:
        """What is on trial."""
        return self._kept.trial

    def all(self) -> tuple[Amendment, ...]:
        """Every edit that is in force, on trial or refused, as people see it."""
        return tuple(self.shown(one) for one in self._kept.all())

    def shown(self, edit: Amendment) -> Amendment:
        """An edit with the names of sensors."""
        return shown(edit, self._judge.name)

    def begin(self, now: datetime) -> None:
        """After a start: let the plant be what it was, as far as the site file allows that now.

        What is on trial waits for ``resume``.
        """
        with self._lock:
            was, trial = self._kept, self._kept.trial
            laid, lost = self._judge.still(was.laid if trial is None else trial.before, now)
            if trial is not None:
                trial = replace(trial, before=laid, starts=trial.starts + 1)
            still, _ = (laid, ()) if trial is None else self._judge.still(was.laid, now)
            now_kept = Kept(still, trial, (*was.told, *lost))
            if now_kept != was:
                self._keep(now_kept, *(entry(one, now) for one in lost))
            if laid:
                self._plant.become(self._judge.site(laid))
            if trial is not None and trial.starts > _STARTS:  # before it is in force once more
                self.take_back(f"flexedge started {trial.starts} times meanwhile", now)
            self._tell()

    def resume(self) -> None:
        """After a start, when the tree of assets says what holds for good: go on with a trial."""
        with self._lock:
            if self._kept.trial is not None:
                self._become(self._kept.laid)

    def offer(
        self, centre: str, changes: Sequence[Change], refused: Sequence[Amendment],
        within: timedelta, now: datetime,
    ) -> None:  # fmt: skip
        """All that differs at a centre now: what may take effect, and what may not and why.

        What can takes effect at once, on trial for ``within`` where the site file defines it;
        nothing while something else is on trial. What was refused or taken back before stays so
        until it changes there. Raises ``StoreError``.
        """
        with self._lock:
            there = {one.place: one.theirs for one in (*changes, *refused)}
            was = self._kept
            if was.trial is not None and any(
                there.get(one.place) != one.theirs for one in was.trial.edits
                if one.centre == centre
            ):  # fmt: skip
                self.take_back("it was edited once more there", now)
                return
            told = tuple(
                one for one in was.told
                if one.centre != centre or (one.place in there and there[one.place] == one.theirs)
            )  # fmt: skip
            known = {one.place for one in told}
            new = [one for one in refused if one.place not in known]
            # who looked while a trial ended saw what was there before
            laid = {one.place: one.theirs for one in was.laid}
            fresh = [
                one for one in changes
                if one.place not in known and laid.get(one.place, _NOWHERE) != one.theirs
            ]  # fmt: skip
            if was.trial is None and fresh:
                fresh, wrong = self._judge.sort(was.laid, fresh, now)
                new += wrong
            told = (*told, *new)[-_MOST:]
            if told != was.told:
                self._keep(replace(was, told=told), *(entry(one, now) for one in new))
            if was.trial is None and fresh:
                self._try(centre, fresh, within, now)

    def _try(
        self, centre: str, changes: Sequence[Change], within: timedelta, now: datetime
    ) -> None:
        edits = tuple(one.become("on trial", now) for one in self._on_site(changes, now))
        if not edits:
            return
        laid = self._judge.over(self._kept.laid, edits)
        trial = Trial(
            centre=centre, since=now, until=now + within, heard=now, edits=edits,
            before=self._kept.laid, planned=not self.trouble(),
            well=tuple(name for name in self._plant.site.devices
                       if self._health.device(name).state(now) == "ok"),
        )  # fmt: skip
        self._keep(replace(self._kept, laid=laid, trial=trial), *(entry(one, now) for one in edits))
        for one in edits:
            _log.info("edit on trial", about=one.about, field=one.field, until=trial.until)
        self._become(laid)

    def _on_site(self, changes: Sequence[Change], now: datetime) -> list[Change]:
        """Those that lie over the site file; all others are put at once: no device heeds them."""
        found = []
        for one in changes:
            if is_laid(self._state.assets.get(one.number), one):
                found.append(one)
                continue
            edit = one.become("in force", now)
            self._note(entry(edit, now))
            put(self._state, edit)
        return found

    def _become(self, laid: tuple[Amendment, ...]) -> None:
        site = self._judge.site(laid)
        if site != self._plant.site:
            self.meanwhile(lambda: self._plant.become(site))

    def heard(self, centre: str, now: datetime) -> None:
        """A centre answered. After too long a silence that does not count. Raises ``StoreError``.

        So a trial that began before the power was cut, or before the clock was set, never ends
        well with the first answer after it.
        """
        with self._lock:
            trial = self._kept.trial
            if trial is None or trial.centre != centre:
                return
            if trial.heard < now <= trial.heard + trial.silence:
                self._keep(replace(self._kept, trial=replace(trial, heard=now)))

    def step(self, now: datetime) -> None:
        """Watch what is on trial; to be called every few seconds. Raises ``StoreError``."""
        with self._lock:
            trial = self._kept.trial
            if trial is None:
                return
            why = self._lost(trial, now)
            if why:
                self.take_back(why, now)
            elif trial.heard >= trial.until and self._all_answer(trial, now):
                self._confirm(trial, now)

    def _all_answer(self, trial: Trial, now: datetime) -> bool:
        """Whether every device that did does so now: what is not yet known to be lost may be."""
        return all(self._health.device(one).state(now) == "ok" for one in trial.well)

    def _lost(self, trial: Trial, now: datetime) -> str:
        """Why what is on trial goes back; empty where all is well."""
        if not self._health.time_known or now < trial.since:
            return "nobody knows what time it is"
        gone = [one for one in trial.well if self._health.device(one).state(now) == "lost"]
        if gone:
            return f"{gone[0]} does not answer any more"
        if trial.planned and self.trouble():
            return f"no plan can be made: {self.trouble()}"
        failing = self._failing(trial.since)
        if failing:
            return failing
        if now - trial.heard > trial.silence:
            return f"{trial.centre} has not answered for {trial.silence.total_seconds() / 60:g} min"
        return ""

    def _failing(self, since: datetime) -> str:
        """What nobody expected, in a part of the gateway that went on well before."""
        return next((
            one.message for one in self._health.raised
            if one.about.startswith("loop ") and not one.about.startswith("loop centre ")
            and (one.since is None or one.since >= since)
        ), "")  # fmt: skip

    def _confirm(self, trial: Trial, now: datetime) -> None:
        done = {one.place for one in trial.edits}
        laid = tuple(
            replace(one, fate="in force", at=now) if one.place in done else one
            for one in self._kept.laid
        )
        good = [replace(one, fate="in force", at=now) for one in trial.edits]
        _log.info("edits are in force", centre=trial.centre, fields=[one.field for one in good])
        self._keep(replace(self._kept, laid=laid, trial=None), *(entry(one, now) for one in good))
        bring_in(self._plant, self._state)

    def take_back(self, why: str, now: datetime) -> None:
        """Let what is on trial go back, if anything is. Raises ``StoreError``."""
        with self._lock:
            trial = self._kept.trial
            if trial is None:
                return
            gone = [one.become("taken back", now, why) for one in trial.edits]
            _log.warning("edits are taken back", centre=trial.centre, why=why)
            self._become(trial.before)  # whatever the disk says
            told = (*self._kept.told, *gone)[-_MOST:]
            self._keep(Kept(trial.before, None, told), *(entry(one, now) for one in gone))
