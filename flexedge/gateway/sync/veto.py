"""The owner's say: while it is on, nothing that a centre asks for takes effect on this site."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import AwareDatetime, TypeAdapter, ValidationError

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
    state.audit.add(Entry(now, who, what))
    if on:
        state.remember(_FACT, _VETOED.dump_json(Vetoed(now, who)).decode())
    else:
        state.forget(_FACT)
    return True
