"""What centres brought about on site: edits, commands and schedules, and what became of each."""

from collections.abc import Iterator
from datetime import datetime

from flexedge.gateway.gateway import Gateway
from flexedge.gateway.sync.orders import results
from flexedge.store.state import State
from flexedge.wire import sync as wire


def edits(gateway: Gateway | None) -> tuple[wire.EditTold, ...]:
    """Edits that are on trial, in force or refused; none where there is no site."""
    if gateway is None:
        return ()
    trial = gateway.amendments.trial
    return tuple(
        wire.EditTold(
            centre=one.centre, about=one.about, column=one.column, field=one.field, ours=one.ours,
            theirs=one.theirs, fate=one.fate, at=one.at, why=one.why, sentence=one.sentence,
            until=None if trial is None or one.fate != "on trial" else trial.until,
        )
        for one in gateway.amendments.all()
    )  # fmt: skip


def commands(state: State) -> tuple[wire.CommandTold, ...]:
    """Commands that are remembered, by centre, the newest last."""
    return tuple(
        wire.CommandTold(
            centre=centre.name, id=one.id, command=one.command, fate=one.fate, why=one.why,
            at=one.at, by=one.by,
        )
        for centre in state.centres.all().values()
        for one in results(state, centre.name) or ()
    )  # fmt: skip


def plans(gateway: Gateway | None, now: datetime) -> tuple[wire.PlannedTold, ...]:
    """What assets do that a centre plans, and why that is not followed where it is not."""
    return () if gateway is None else tuple(_plans(gateway, now))


def _plans(gateway: Gateway, now: datetime) -> Iterator[wire.PlannedTold]:
    troubles = gateway.elsewhere.troubles
    for unit in gateway.plant.units:
        given = gateway.elsewhere.of(unit, now)
        if unit.asset.planner == "local":
            continue
        yield wire.PlannedTold(
            asset=unit.name, planner=unit.asset.planner, in_force=given is not None,
            centre=None if given is None else given.centre,
            made_at=None if given is None else given.made_at,
            until=None if given is None else given.valid_until,
            words=gateway.elsewhere.words(unit, now), trouble=troubles.get(unit.name, ""),
        )  # fmt: skip
