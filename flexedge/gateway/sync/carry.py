"""Does what a centre asks for: by the same doors as people on site, with the same refusals."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from flexedge.errors import RequestError
from flexedge.gateway.overrides import Overrides
from flexedge.wire.commands import Bundle, Command, End, Limit, Override, Polling


class Bundling(Protocol):
    """Puts together what support needs to know."""

    def bundle(self, now: datetime) -> Path:
        """Raises ``RequestError`` and ``StoreError``."""


@dataclass(frozen=True, slots=True)
class Site:
    """What commands act on."""

    overrides: Overrides
    support: Bundling
    restart: Callable[[str], None]
    """Begins anew with a device; raises ``KeyError`` for one that is not there."""
    devices: Collection[str]


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in words; ``number`` of the override or limit that was made."""

    words: str
    number: int | None = None


def carry_out(
    site: Site, command: Command, who: str, made: Callable[[str], int | None], now: datetime
) -> Done:
    """Do it. ``made``: the number that a command of that id made; None: none of this centre.

    Raises ``RequestError`` for what cannot be, and ``StoreError``.
    """
    match command:
        case Override():
            return _override(site, command, who, now)
        case Limit():
            low = None if command.most_production is None else -command.most_production + 0.0
            limit = site.overrides.tighten(
                command.asset, (low, command.most_consumption), command.until, who, command.why, now
            )
            return Done(f"{command.asset or 'the grid connection'} is limited", limit.number)
        case End():
            number = made(command.ends)
            if number is None:
                raise RequestError(409, f"Nothing was made by a command {command.ends!r}.")
            ended = site.overrides.end(number, now)
            return Done("has ended already" if ended is None else "taken back")
        case Polling():
            if command.device not in site.devices:
                known = ", ".join(sorted(site.devices))
                raise RequestError(422, f"There is no device {command.device!r}; known: {known}.")
            site.restart(command.device)
            return Done(f"{command.device} is asked anew")
        case Bundle():
            return Done(f"{site.support.bundle(now)} is on the gateway")


def _override(site: Site, command: Override, who: str, now: datetime) -> Done:
    """Whoever is on site goes first: what they ask for is never replaced from elsewhere."""
    held = site.overrides.of(command.asset, now)
    if held is not None and held.who != who and not held.who.endswith(_from(who)):
        raise RequestError(409, f"{held.who} has overridden {command.asset} until {held.until}.")
    asked = (command.asset, command.action, command.power)
    override, _ = site.overrides.ask(asked, command.until, who, command.why, now)
    return Done(f"{command.asset} is overridden", override.number)


def _from(who: str) -> str:
    """The end of a name by which those of one centre are told."""
    return f" at {who.rpartition(' at ')[2]}"
