"""The duty that carries out a centre's commands: each at most once, in time, and if nobody objects.

An id is on disk before anything is done about it; of what was cut short nobody knows, and it is not
done again.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from pydantic import ValidationError

from flexedge.errors import CentreRefused, RequestError, StoreError
from flexedge.gateway.health import Health
from flexedge.gateway.sync.carry import Site, carry_out
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.orders import Result, asked_at, keep, results
from flexedge.gateway.sync.ours import site_account
from flexedge.gateway.sync.veto import end_asked, vetoed, withdraw
from flexedge.store.state import State
from flexedge.store.tables.audit import Entry
from flexedge.wire.commands import ASKED, COMMAND, DONE, Command, Outcome

_TOLD: Final = 20
_LOOKED_AT: Final = 50  # of the list at the centre
_MOST: Final = 200  # ids that are remembered
_LONGEST: Final = timedelta(days=7)
_SLACK: Final = timedelta(minutes=5)  # between their clock and ours
_GONE: Final = (403, 404, 410, 422)
_LONGER: Final = timedelta(hours=2)
"""Ids are known for so long after they have expired: a clock that is set back brings none back."""
_CUT: Final = "flexedge stopped in the middle of it: nobody knows whether it was done"
_CUT_AFTER: Final = "flexedge stopped right after it"
_LOST: Final = "what was done before cannot be read: it is not done, in case it was"
Json = Mapping[str, Any]
_log = structlog.get_logger()


class Commands:
    """One centre's. Raises what a duty raises."""

    name = "commands"

    def __init__(self, state: State, health: Health, site: Site) -> None:
        self._state = state
        self._health = health
        self._site = site
        self._counts: dict[str, int] = {}
        self._seen: datetime | None = None
        """When it was this duty's turn last."""

    def counts(self) -> Mapping[str, int]:
        """How many commands had what end since the start."""
        return dict(self._counts)

    def step(self, linked: Linked, now: datetime) -> datetime:
        """See whether there are commands, carry them out, and tell what came of them."""
        self._seen = now
        due = now + linked.rules.poll
        root = self._root(linked)
        if root is None or not linked.may("commands") or not self._health.time_known:
            return due
        if vetoed(self._state) is not None:
            withdraw(self._state, self._site.overrides, now)
        try:
            there = linked.central.asset(root).get("attributes")
        except CentreRefused as error:
            if error.status not in _GONE:
                raise
            return due
        attributes = there if isinstance(there, dict) else {}
        given = attributes.get(ASKED)
        asked = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        self._settle(linked, asked[:_LOOKED_AT], now)
        self._tell(linked, root, attributes)
        return due

    def _root(self, linked: Linked) -> int | None:
        """The number of the site's asset there."""
        for link in self._state.links.find(centre_id=linked.number, thing="asset").values():
            asset = self._state.assets.get(link.local_id)
            if asset is not None and asset.defined_as == "":
                return link.central_id
        return None

    def end(self, linked: Linked) -> None:
        """What it asked for ends with the link; at the end of a run it goes on."""
        if linked.number in self._state.centres.all():
            return
        centre, when = linked.centre.name, self._seen or linked.centre.linked
        try:
            end_asked(self._state, centre, self._site.overrides, when)
        except StoreError as error:
            _log.warning("not ended with the link", centre=centre, why=str(error))

    def _settle(self, linked: Linked, asked: Sequence[Json], now: datetime) -> None:
        """Carry out what is new. What was cut short before has come to nothing."""
        centre = linked.centre.name
        known = results(self._state, centre)
        if known is None:  # what was done before cannot be known: nothing is done twice
            lost = {_id(one): one for one in asked}
            known = tuple(
                replace(_begun(one, now), fate="failed", why=_LOST) for one in lost.values()
            )
            keep(self._state, centre, known)
        cut = tuple(
            self._cut(one, known, centre, now) if one.fate == "begun" else one for one in known
        )
        listed = {_id(one) for one in asked}
        kept = tuple(one for one in cut if one.id in listed or now < one.forget)
        if kept != known:
            keep(self._state, centre, kept)
        ids = {one.id for one in kept}
        for one in asked:
            if _id(one) not in ids and len(kept) < _MOST:
                kept = self._do(linked, one, kept, now)
                ids.add(_id(one))
        full = f"{centre} has given {_MOST} commands: take old ones off its list"
        self._health.alarm(f"centre {centre}: commands-full", full if len(kept) >= _MOST else "")

    def _cut(self, one: Result, known: Iterable[Result], centre: str, now: datetime) -> Result:
        """What became of a command that was cut short: done where what it made is there."""
        asked, who = self._site.overrides.all(now), f"{one.by}{asked_at(centre)}"
        others = {other.number for other in known}
        made = (it.number for it in asked if it.who == who and it.since == one.at)
        number = next((it for it in made if it not in others), None)
        if number is None:
            ended = replace(one, fate="failed", why=_CUT)
        else:
            ended = replace(one, fate="done", why=_CUT_AFTER, number=number)
        self._note(ended, {}, centre)
        return ended

    def _note(self, ended: Result, given: Json, centre: str) -> None:
        account = site_account(self._state)
        self._state.audit.add(replace(_entry(ended, given, centre), account_id=account))

    def _do(
        self, linked: Linked, given: Json, kept: tuple[Result, ...], now: datetime
    ) -> tuple[Result, ...]:
        """One new command: noted, carried out, noted again."""
        centre = linked.centre.name
        begun = _begun(given, now)
        try:
            command = self._admitted(linked, given, now)
        except RequestError as error:
            ended = replace(begun, fate="refused", why=str(error))
        else:
            begun = replace(begun, forget=command.last + _LONGER)
            keep(self._state, centre, (*kept, begun))
            ended = self._carried(linked, command, begun, kept, now)
        self._note(ended, given, centre)
        keep(self._state, centre, (*kept, ended))
        self._counts[ended.fate] = self._counts.get(ended.fate, 0) + 1
        _log.info("command", centre=centre, id=ended.id, fate=ended.fate, why=ended.why)
        return (*kept, ended)

    def _admitted(self, linked: Linked, given: Json, now: datetime) -> Command:
        """The command, if it may be done at all. Raises ``RequestError``."""
        objection = vetoed(self._state)
        if objection is not None:
            raise RequestError(409, f"{objection.who} on site vetoes what centres ask for.")
        try:
            command = COMMAND.validate_python(given)
        except ValidationError as error:
            raise RequestError(422, _words(error)) from None
        if command.command not in linked.rules.accept.commands:
            raise RequestError(
                403, f"The site file does not accept {command.command} from {linked.centre.name}: "
                "add it to accept, commands.",
            )  # fmt: skip
        if command.at < linked.centre.linked:
            raise RequestError(409, "It is older than the link with this gateway.")
        if command.at > now + _SLACK:
            raise RequestError(422, "It is of a time to come: at should be when it was given.")
        if now > command.last:
            raise RequestError(409, "It has expired.")
        if command.last > now + _LONGEST:
            raise RequestError(422, f"It should expire within {_LONGEST.days} days.")
        return command

    def _carried(
        self, linked: Linked, command: Command, begun: Result, kept: Iterable[Result], now: datetime
    ) -> Result:
        numbers = {one.id: one.number for one in kept}
        who = f"{begun.by}{asked_at(linked.centre.name)}"
        try:
            done = carry_out(self._site, command, who, numbers.get, now)
        except RequestError as error:
            return replace(begun, fate="refused", why=str(error))
        except StoreError as error:
            return replace(begun, fate="failed", why=str(error))
        return replace(begun, fate="done", why=done.words, number=done.number)

    def _tell(self, linked: Linked, root: int, attributes: Json) -> None:
        """Let the centre show what came of the last ones."""
        centre = linked.centre.name
        told = [_told(one) for one in (results(self._state, centre) or ())[-_TOLD:]]
        if not told or attributes.get(DONE) == told:
            return
        words = ""
        try:
            linked.central.change_asset(root, {"attributes": {**attributes, DONE: told}})
        except CentreRefused as error:
            words = f"what came of its commands cannot be told there: {error.message}"
        self._health.alarm(f"centre {centre}: results", words)


def _id(given: Json) -> str:
    """Its id; of one that says none something that stands for all it says."""
    said = given.get("id")
    if isinstance(said, str) and 0 < len(said) <= 80:  # noqa: PLR2004 (as its shape)
        return said
    whole = json.dumps(given, sort_keys=True, default=str)
    return f"#{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def _begun(given: Json, now: datetime) -> Result:
    return Result(
        id=_id(given), command=str(given.get("command"))[:20], fate="begun", why="", at=now,
        by=str(given.get("by") or "somebody")[:60], forget=now + _LONGEST,
    )  # fmt: skip


def _told(one: Result) -> dict[str, Any]:
    fate = "failed" if one.fate == "begun" else one.fate
    told: dict[str, Any] = Outcome(
        id=one.id, command=one.command, result=fate, why=one.why, at=one.at
    ).model_dump(mode="json")
    return told


def _words(error: ValidationError) -> str:
    """What is wrong with a command, at most three things."""
    told = []
    for one in error.errors(include_url=False, include_input=False)[:3]:
        place = ".".join(str(step) for step in one["loc"][1:])
        words = one["msg"].removeprefix("Value error, ")
        told.append(f"{place}: {words}" if place else words)
    return "; ".join(told)


def _entry(ended: Result, given: Json, centre: str) -> Entry:
    why = f" ({ended.why})" if ended.why else ""
    return Entry(
        at=ended.at, who=f"{ended.by}{asked_at(centre)}",
        what=f"Command {ended.id}, {ended.command}: {ended.fate}{why}"[:500],
        after=dict(list(given.items())[:20]),
    )  # fmt: skip
