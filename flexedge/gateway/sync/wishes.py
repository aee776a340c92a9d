"""What came from a centre, as it is told: edits with what they differ in, commands with results."""

from typing import Final

from flexedge.gateway.amended import Amendment, Kept, kept, shown
from flexedge.gateway.sync.orders import results
from flexedge.store.state import State
from flexedge.wire.sync import CommandTold, EditTold

_COMMANDS: Final = 20


def edits_told(state: State, centre: str) -> tuple[EditTold, ...]:
    """The edits of a centre: on trial, in force, refused, taken back. Raises ``StoreError``."""
    found, sensors = kept(state) or Kept(), state.sensors()

    def name(number: int) -> str | None:
        sensor = sensors.get(number)
        return None if sensor is None else sensor.name

    return tuple(
        _edit(shown(one, name), found) for one in found.all() if one.centre == centre
    )  # fmt: skip


def _edit(one: Amendment, found: Kept) -> EditTold:
    trial = found.trial if one.fate == "on trial" else None
    return EditTold(
        about=one.about, column=one.column, field=one.field, ours=one.ours, theirs=one.theirs,
        fate=one.fate, why=one.why, at=one.at, until=None if trial is None else trial.until,
    )  # fmt: skip


def commands_told(state: State, centre: str) -> tuple[CommandTold, ...]:
    """The last commands of a centre. Raises ``StoreError``."""
    return tuple(
        CommandTold(id=one.id, command=one.command, by=one.by, result=one.fate, why=one.why,
                    at=one.at)
        for one in (results(state, centre) or ())[-_COMMANDS:]
    )  # fmt: skip
