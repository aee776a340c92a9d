"""The owner's say: while it is on, nothing that a centre asks for takes effect on this site."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from flexedge.gateway.gateway import Gateway
from flexedge.gateway.overrides import Overrides
from flexedge.gateway.sync.orders import asked_at, results
from flexedge.gateway.sync.ours import site_account
from flexedge.store.state import State
from flexedge.store.tables.audit import Entry

_FACT: Final = "gateway.veto"


@dataclass(frozen=True, slots=True)
class Vetoed:
    """Since when, and by whom."""

    since: AwareDatetime
    who: str


_VETOED: Final = TypeAdapter(Vetoed)


def vetoed(state: State) -> Vetoed | None:
    """The veto that is in force; None where there is none. Raises ``StoreError``."""
    text = state.fact(_FACT)
    if text is None:
        return None
    try:
        return _VETOED.validate_json(text)
    except ValidationError:  # somebody did say something
        return Vetoed(datetime.fromisoformat("1970-01-01T00:00:00+00:00"), "nobody knows")


def veto(state: State, who: str, now: datetime, *, on: bool) -> bool:
    """Put a veto in force, or lift it; whether that changed anything. Raises ``StoreError``."""
    if (vetoed(state) is not None) == on:
        return False
    what = "Vetoed what centres ask for" if on else "Lifted the veto on what centres ask for"
    state.audit.add(Entry(now, who, what, account_id=site_account(state)))
    if on:
        state.remember(_FACT, _VETOED.dump_json(Vetoed(now, who)).decode())
    else:
        state.forget(_FACT)
    return True


def say(gateway: Gateway, who: str, now: datetime, *, on: bool) -> bool:
    """Say so on site: a veto ends at once all that centres ask for.

    What is on trial of their edits, overrides and limits, and the schedules they made; edits that
    are in force for good stay. Whether it changed anything. Raises ``StoreError``.
    """
    state = gateway.state
    changed = veto(state, who, now, on=on)
    if on:
        for centre in state.centres.all().values():
            gateway.elsewhere.drop(centre.name)
        gateway.amendments.take_back(f"{who} vetoes it", now)
        withdraw(state, gateway.overrides, now)
    return changed


def withdraw(state: State, overrides: Overrides, now: datetime) -> None:
    """End every override and limit that a centre asked for. Raises ``StoreError``."""
    for centre in state.centres.all().values():
        end_asked(state, centre.name, overrides, now)


def end_asked(state: State, centre: str, overrides: Overrides, now: datetime) -> None:
    """End every override and limit that one centre asked for. Raises ``StoreError``.

    By what is kept of its commands, and by the name of who asked: what a command did that was cut
    short is not kept with it.
    """
    made = {one.number for one in results(state, centre) or () if one.number is not None}
    made |= {one.number for one in overrides.all(now) if one.who.endswith(asked_at(centre))}
    for number in made:
        overrides.end(number, now)
