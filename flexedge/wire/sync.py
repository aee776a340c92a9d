"""How a gateway fares with its centres: what is in step, what is to come, what was refused."""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool

from flexedge.wire.shape import Moment, Shape, Told, Whole

Contact = Literal["starting", "clock", "in-touch", "away", "locked"]
CentreName = Annotated[str, Field(max_length=40)]


class DutyTold(Told):
    """One thing that is done with a centre, as sending values or asking for edits."""

    name: str
    last_good: Moment | None
    trouble: str
    """What went wrong last; "" where all is well."""
    counts: dict[str, int]
    """Since the start of the gateway."""


class LagTold(Told):
    """How far a centre knows one of our sensors."""

    sensor: str
    role: str
    """ "": measured values; "forecast", "schedule"."""
    central_id: int
    newest_here: Moment | None
    """The start of the newest event there is a value of."""
    newest_there: Moment | None
    """The same of what has arrived."""
    lag_s: float | None
    """Between the two."""
    waiting: int
    """Values still to be sent, about."""
    paused: str
    """Why nothing of it is sent; "" where it is."""


class EditTold(Told):
    """A field that somebody edited at the centre, and what became of that."""

    about: str
    """The asset or sensor."""
    column: str
    """flex_model, flex_context or attributes."""
    field: str
    ours: Any
    """What it is here, or was when it was edited; null: not there."""
    theirs: Any
    """What it is at the centre, with our names for sensors."""
    fate: Literal["waits", "on trial", "in force", "refused", "taken back"]
    why: str
    at: Moment
    """Since when that is so."""
    until: Moment | None = None
    """How long it is on trial: until then it goes back by itself if anything is lost."""


class CommandTold(Told):
    """Something that the centre asked for, and what became of that."""

    id: str
    command: str
    by: str
    result: Literal["begun", "done", "refused", "failed"]
    why: str
    at: Moment


class CentreStands(Told):
    """How things stand with a centre."""

    name: str
    url: str
    account: str
    user: str
    linked: Moment
    scopes: tuple[str, ...]
    contact: Contact
    """starting: not asked yet; clock: it waits until the clock here is right; in-touch;
    away: no answer that counts; locked: it does not accept who we are."""
    since: Moment | None
    why: str
    words: str
    """All of it in one line: "in step", "12 min behind, 340 values to come"."""
    well: bool
    """Whether nobody has to do anything: in step, or starting, or away for not long."""
    last_contact: Moment | None
    next_try: Moment | None
    lag_s: float | None
    """The greatest of all sensors."""
    waiting: int
    refused: int
    """Values, or runs of them, that the centre did not take."""
    requests: int
    bytes_sent: int
    """Since the start of the gateway."""
    edits: tuple[EditTold, ...] = ()
    commands: tuple[CommandTold, ...] = ()
    """The last twenty, the newest last."""
    duties: tuple[DutyTold, ...]
    sensors: tuple[LagTold, ...]


class PlannedTold(Told):
    """An asset that a centre plans."""

    asset: str
    planner: str
    in_force: bool
    """Whether it does what a centre planned."""
    centre: str | None
    made_at: Moment | None
    until: Moment | None
    words: str
    trouble: str
    """Why there is no newer schedule; "" where nothing is wrong with the last one."""


class VetoTold(Told):
    """While there is one nothing that centres ask for takes effect on site."""

    since: Moment
    who: str


class SyncTold(Told):
    """How far central servers know what the gateway knows."""

    now: Moment
    linked: bool
    message: str
    """All of it in one line."""
    veto: VetoTold | None
    """None where centres may do what the site file allows."""
    centres: tuple[CentreStands, ...]
    plans: tuple[PlannedTold, ...] = ()


class AskSync(Shape):
    """Which centre is meant."""

    centre: CentreName | None = None
    """All of them if left out."""


class AskedTold(Told):
    """Which centres are asked now."""

    centres: tuple[str, ...]
    message: str


class AskVeto(Shape):
    """Whether centres may do what the site file allows."""

    on: StrictBool


class VetoedTold(Told):
    """What came of it."""

    veto: VetoTold | None
    message: str


class AskRejected(Shape):
    """Of what somebody wants to see what was refused."""

    centre: CentreName | None = None
    """All of them if left out."""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    """At most so many, the last ones."""


class RejectedTold(Told):
    """A run of values that a centre did not take."""

    number: int
    centre: str
    sensor: str
    role: str
    """ "": measured values; "forecast", "schedule"."""
    at: Moment
    """When it was said last."""
    why: str
    start: Moment
    end: Moment
    values: tuple[float | None, ...]
    """The first ones, eight at most."""
    count: int
    """How many there are."""
    unit: str
    believed: Moment | None
    """When all of them were believed; null: each when it was measured."""
    tries: int
    again: bool
    """Whether they are to be tried once more."""


class RejectedListTold(Told):
    """What centres did not take, the newest first."""

    count: int
    """How many runs there are, whatever the limit."""
    dropped: dict[str, int]
    """By centre, how many values were given up because there were too many."""
    entries: tuple[RejectedTold, ...]


class AskRetry(Shape):
    """Which of the refused values are to be tried once more, or given up."""

    numbers: Annotated[tuple[Whole, ...], Field(max_length=1000)] = ()
    """As they are listed."""
    all: StrictBool = False
    """Instead of numbers: every one."""
    centre: CentreName | None = None
    """Only of this centre."""
    drop: StrictBool = False
    """Give them up for good instead: they are never sent."""


class RetriedTold(Told):
    """What came of it."""

    numbers: tuple[int, ...]
    gone: tuple[int, ...]
    """Those that are not there any more, as they arrived meanwhile."""
    message: str
