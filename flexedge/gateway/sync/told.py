"""How things stand with the centres, in words and figures: for the page, the API and programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flexedge.gateway.sync.centres import Centres
from flexedge.gateway.sync.lags import Lag
from flexedge.gateway.sync.revised import ROLES
from flexedge.gateway.sync.sync import AWAY_FOR_LONG, Standing, Sync
from flexedge.gateway.sync.veto import vetoed
from flexedge.gateway.sync.wishes import commands_told, edits_told
from flexedge.gateway.view import CentreView
from flexedge.store.state import State
from flexedge.store.tables.centres import Centre
from flexedge.wire import sync as wire

TOLERATED: Final = timedelta(minutes=10)
"""A centre that knows everything up to so long ago is in step."""
NOT_LINKED: Final = (
    "This gateway is not linked with a central server: all that it knows is kept here."
)
_NOTHING: Final = "nothing is done with it: this gateway runs from memory, or has just begun"
_CUT: Final = "linking did not come to its end: flexedge link {} goes on with it"
_SPANS: Final = ((86400, "d"), (3600, "h"), (60, "min"))


@dataclass(frozen=True, slots=True)
class Sums:
    """What all sensors of a centre come to."""

    behind: timedelta
    """The most, of what is overdue."""
    waiting: int
    refused: int


def told(centres: Centres | None, state: State, now: datetime) -> wire.SyncTold:
    """All centres that are linked, also those with which nothing is done now."""
    known = state.centres.all()
    if not known:
        return wire.SyncTold(
            now=now, linked=False, message=NOT_LINKED, veto=veto_told(state), centres=()
        )
    running = {sync.linked.number: sync for sync in (centres.syncs if centres else ())}
    stands = tuple(
        stands_of(state, number, centre, running.get(number), now)
        for number, centre in known.items()
    )
    message = "; ".join(f"{one.name}: {one.words}" for one in stands)
    return wire.SyncTold(
        now=now, linked=True, message=message, veto=veto_told(state), centres=stands
    )


def seen(centres: Centres | None, state: State, now: datetime) -> tuple[CentreView, ...]:
    """The centres in short, for the page of the site."""
    return tuple(
        CentreView(
            one.name, one.url, one.words, one.well, one.contact == "in-touch", one.waiting,
            one.refused,
        )
        for one in told(centres, state, now).centres
    )  # fmt: skip


def veto_told(state: State) -> wire.VetoTold | None:
    """The owner's veto, where there is one."""
    found = vetoed(state)
    return None if found is None else wire.VetoTold(since=found.since, who=found.who)


def stands_of(
    state: State, number: int, centre: Centre, sync: Sync | None, now: datetime
) -> wire.CentreStands:
    """How things stand with one centre; ``sync`` None: nothing is done with it now."""
    standing = Standing("starting") if sync is None else sync.standing
    lags, paused = ((), {}) if sync is None else (sync.lags(now), sync.paused)
    sums = Sums(
        _behind(state, sync, lags),
        sum(lag.waiting for lag in lags),
        len(state.unwanted.find(centre_id=number)),
    )
    whole = bool(centre.details.get("complete"))
    cut = "" if whole else _CUT.format(centre.url)
    words = in_words(standing, sums, now, "" if sync else cut or _NOTHING)
    if sync and cut:
        words = f"{words}; {cut}"
    return wire.CentreStands(
        name=centre.name, url=centre.url, account=centre.account, user=centre.user,
        linked=centre.linked, scopes=tuple(centre.scopes), contact=standing.contact,
        since=standing.since, why=standing.why, words=words,
        well=whole and is_well(standing, sums, now),
        last_contact=standing.last_contact, next_try=standing.next_try,
        lag_s=max((lag.behind.total_seconds() for lag in lags), default=None), waiting=sums.waiting,
        refused=sums.refused, requests=standing.requests,
        bytes_sent=standing.sent,
        edits=edits_told(state, centre.name), commands=commands_told(state, centre.name),
        duties=_duties(standing), sensors=_sensors(state, lags, paused),
    )  # fmt: skip


def _behind(state: State, sync: Sync | None, lags: Sequence[Lag]) -> timedelta:
    """The most that a centre lags behind; what is not due yet does not count."""
    if sync is None:
        return timedelta(0)
    links, rules = state.links.all(), sync.linked.rules
    plans = {number for number, link in links.items() if link.role in ROLES}
    late = (lag.behind for lag in lags if lag.behind > rules.sent_every(plans=lag.link in plans))
    return max(late, default=timedelta(0))


def is_well(standing: Standing, sums: Sums, now: datetime) -> bool:
    """Whether nobody has to do anything about a centre.

    That one is away, or values wait, is what the gateway is made for; that it goes on is not.
    """
    if standing.contact == "locked" or sums.refused or _troubles(standing):
        return False
    return standing.contact != "away" or _lasted(standing, now) < AWAY_FOR_LONG


def in_words(standing: Standing, sums: Sums, now: datetime, told: str = "") -> str:
    """All of it in one line: "in step; 12 values to come; 2 refused".

    ``told``: instead of how it stands.
    """
    parts = [told or _contact(standing, sums, span(_lasted(standing, now)))]
    if sums.waiting:
        parts.append(f"{counted(sums.waiting, 'value')} to come")
    if sums.refused:
        parts.append(f"{sums.refused} refused")
    parts += [f"{name}: {trouble}" for name, trouble in _troubles(standing)]
    return "; ".join(parts)


def _contact(standing: Standing, sums: Sums, lasted: str) -> str:
    match standing.contact:
        case "starting":
            return "not asked yet"
        case "clock":
            return "waits until the clock of this gateway is known to be right"
        case "away":
            return f"away for {lasted}: {standing.why}"
        case "locked":
            return f"does not accept this gateway for {lasted}: {standing.why}"
        case "in-touch":
            return "in step" if sums.behind <= TOLERATED else f"{span(sums.behind)} behind"


def span(lasted: timedelta) -> str:
    """How long in words: "3 d", "12 min"."""
    seconds = lasted.total_seconds()
    for size, unit in _SPANS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def counted(number: int, what: str) -> str:
    """So many of something: "1 value", "12 000 values"."""
    return f"{number:,}".replace(",", " ") + f" {what}{'' if number == 1 else 's'}"


def _lasted(standing: Standing, now: datetime) -> timedelta:
    return max(now - (standing.since or now), timedelta(0))


def _troubles(standing: Standing) -> list[tuple[str, str]]:
    return [(one.duty, one.trouble) for one in standing.duties if one.trouble]


def _duties(standing: Standing) -> tuple[wire.DutyTold, ...]:
    return tuple(
        wire.DutyTold(
            name=one.duty, last_good=one.last_good, trouble=one.trouble, counts=dict(one.counts)
        )
        for one in standing.duties
    )


def _sensors(
    state: State, lags: Sequence[Lag], paused: Mapping[int, str]
) -> tuple[wire.LagTold, ...]:
    """The sensors by name; those that were deleted here are left out."""
    sensors, links = state.sensors(), state.links.all()
    found = [
        wire.LagTold(
            sensor=sensors[link.local_id].name, role=link.role, central_id=link.central_id,
            newest_here=lag.newest_here, newest_there=lag.newest_there,
            lag_s=None if lag.newest_there is None else lag.behind.total_seconds(),
            waiting=lag.waiting, paused=paused.get(lag.link, ""),
        )
        for lag in lags
        if (link := links.get(lag.link)) is not None and link.local_id in sensors
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.sensor, one.role)))
