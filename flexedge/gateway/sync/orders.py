"""Commands of centres and what became of them: kept so that none is carried out twice."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from flexedge.store.state import State

_FACT: Final = "gateway.commands."


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A command and what became of it."""

    id: str
    command: str
    """Its kind."""
    fate: Literal["begun", "done", "refused", "failed"]
    why: str
    """Also what was done, in words."""
    at: AwareDatetime
    by: str = ""
    forget: AwareDatetime
    """From when on the id need not be known: it would be refused as expired."""
    number: int | None = None
    """Of the override or limit that it made."""


_KEPT: Final = TypeAdapter(tuple[Result, ...])


def results(state: State, centre: str) -> tuple[Result, ...] | None:
    """What became of a centre's commands, the newest last; None: that cannot be read.

    Raises ``StoreError``.
    """
    text = state.fact(_FACT + centre)
    try:
        return () if text is None else _KEPT.validate_json(text)
    except ValidationError:
        return None


def keep(state: State, centre: str, some: Iterable[Result]) -> None:
    """Keep them in the place of what was kept. Raises ``StoreError``."""
    state.remember(_FACT + centre, _KEPT.dump_json(tuple(some)).decode())


def asked_at(centre: str) -> str:
    """What the name of who asked for something at a centre ends with on site."""
    return f" at {centre}"
