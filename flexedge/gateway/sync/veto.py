"""The owner's say: while it is on, nothing that a centre asks for takes effect on this site."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from flexedge.gateway.amend import Amendments
from flexedge.gateway.overrides import Overrides
from flexedge.gateway.sync.orders import results
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


def say(
    state: State, overrides: Overrides, amendments: Amendments, who: str, now: datetime, *, on: bool
) -> bool:  # fmt: skip
    """Say so on site: with a veto ends at once what centres have asked for, and what is on trial.

    Edits that are in force for good stay. Whether it changed anything. Raises ``StoreError``.
    """
    changed = veto(state, who, now, on=on)
    if on:
        amendments.take_back(f"{who} vetoes it", now)
        withdraw(state, overrides, now)
    return changed


def withdraw(state: State, overrides: Overrides, now: datetime) -> None:
    """End every override and limit that a centre asked for. Raises ``StoreError``."""
    made = {
        one.number
        for centre in state.centres.all().values()
        for one in results(state, centre.name) or ()
        if one.number is not None
    }
    for number in made:
        overrides.end(number, now)
