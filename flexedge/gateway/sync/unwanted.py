"""Values that a centre did not take: kept with what it said, shown, tried again when asked.

They block nothing. What is asked for here is noted in the state, and done by who uploads.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from flexedge.domain.runs import Run, as_json
from flexedge.errors import CentreRefused, StoreError
from flexedge.gateway.sync.runs import count
from flexedge.store.state import State
from flexedge.store.tables.centres import Link, Unwanted

MOST_ENTRIES: Final = 1000
MOST_VALUES: Final = 200_000
"""Of one centre; beyond that the oldest go, and are counted."""
_US: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Refused:
    """Values that were not taken, for people. ``again``: they are to be tried once more."""

    number: int
    centre: str
    sensor: str
    """What the gateway calls it."""
    role: str
    at: datetime
    """When it was said last."""
    why: str
    run: Run
    tries: int
    again: bool


def set_aside(
    state: State, link: tuple[int, Link], run: Run, refused: CentreRefused, now: datetime
) -> None:
    """Keep values that were not taken; what is too much then is dropped and counted.

    The same values once more are one more try of theirs.
    """
    number, linked = link
    kept = _kept(run)
    known = state.unwanted.find(link_id=number, run=kept)
    tries = 1 + max((abs(one.tries) for one in known.values()), default=0)
    entry = Unwanted(
        linked.centre_id, number, now, refused.status, refused.code, _words(refused), kept, tries
    )
    for place in known:
        state.unwanted.change(place, entry)
    if not known:
        state.unwanted.add(entry)
        _bound(state, linked.centre_id)


def rejected(state: State, centre: str | None = None) -> tuple[Refused, ...]:
    """What centres (None: all) did not take, the oldest first."""
    centres, links, sensors = state.centres.all(), state.links.all(), state.sensors()
    told = []
    for number, one in state.unwanted.all().items():
        link, where = links.get(one.link_id), centres.get(one.centre_id)
        if link is None or where is None or centre not in (None, where.name):
            continue
        sensor = sensors.get(link.local_id)
        code = f" {one.code}" if one.code else ""
        told.append(
            Refused(
                number, where.name, "" if sensor is None else sensor.name, link.role, one.at,
                f"{one.status}{code}: {one.message}", run_of(one), abs(one.tries), one.tries < 0,
            )
        )  # fmt: skip
    return tuple(told)


def retry(
    state: State, numbers: Collection[int] | None = None, centre: str | None = None
) -> tuple[Refused, ...]:
    """Have entries tried once more: some, or (None) all of a centre; returns which.

    They are posted when the centre is asked next, or later if it is away.
    """
    return tuple(one for one in _chosen(state, numbers, centre) if _again(state, one.number))


def drop(
    state: State, numbers: Collection[int] | None = None, centre: str | None = None
) -> tuple[Refused, ...]:
    """Give entries up for good: some, or (None) all of a centre; returns which."""
    chosen = _chosen(state, numbers, centre)
    return tuple(one for one in chosen if state.unwanted.remove(one.number))


def _chosen(
    state: State, numbers: Collection[int] | None, centre: str | None
) -> tuple[Refused, ...]:
    every = rejected(state, centre)
    return every if numbers is None else tuple(one for one in every if one.number in numbers)


def _again(state: State, number: int) -> bool:
    """Mark an entry; False: it is not there any more."""
    known = state.unwanted.get(number)
    if known is None:
        return False
    try:
        state.unwanted.change(number, replace(known, tries=-abs(known.tries)))
    except StoreError:
        if state.unwanted.get(number) is None:  # it arrived just now
            return False
        raise
    return True


def to_try(state: State, centre: int) -> Mapping[int, Unwanted]:
    """What is to be tried once more, by number."""
    every = state.unwanted.find(centre_id=centre)
    return {number: one for number, one in every.items() if one.tries < 0}


def run_of(one: Unwanted) -> Run:
    """The values as they were posted."""
    kept = one.run
    prior = kept.get("prior")
    return Run(
        datetime.fromisoformat(kept["start"]), kept["step-us"] * _US, tuple(kept["values"]),
        kept["unit"], None if prior is None else datetime.fromisoformat(prior),
        kept["horizon-us"] * _US if prior is None else None,
    )  # fmt: skip


def dropped(state: State, centre: int) -> int:
    """How many values were dropped because there were too many."""
    return int(state.fact(_fact(centre)) or 0)


def _kept(run: Run) -> dict[str, Any]:
    horizon = None if run.horizon is None else run.horizon // _US
    return {**as_json(run), "step-us": run.step // _US, "horizon-us": horizon}


def _words(refused: CentreRefused) -> str:
    """What it said, without the status and code in front."""
    head = f"{refused.status} {refused.code}: " if refused.code else f"{refused.status}: "
    return refused.message.removeprefix(head)[:300]


def _fact(centre: int) -> str:
    return f"sync.{centre}.dropped"


def _bound(state: State, centre: int) -> None:
    every = list(state.unwanted.find(centre_id=centre).items())
    values = [len(one.run["values"]) for _, one in every]
    total, lost = sum(values), 0
    for place, (number, one) in enumerate(every[:-1]):
        if len(every) - place <= MOST_ENTRIES and total <= MOST_VALUES:
            break
        state.unwanted.remove(number)
        total -= values[place]
        lost += count(run_of(one))
    if lost:
        state.remember(_fact(centre), str(dropped(state, centre) + lost))
