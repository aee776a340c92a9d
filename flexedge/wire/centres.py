"""How a gateway is linked with a central server, and how it fares with it."""

from typing import Annotated, Literal, get_args

from pydantic import Field, SecretStr

from flexedge.wire.shape import Moment, Shape, Told, Whole

Scope = Literal[
    "readings", "forecasts", "schedules", "outcomes", "annotations", "health",
    "data", "edits", "commands", "plans",
]  # fmt: skip
"""As in the site file."""
Way = Literal["have", "find", "make", "ask", "leave"]
SameName = Literal["ask", "adopt", "take-over", "beside"]


class AskLink(Shape):
    """A server to link with. The credential is needed once: it is kept."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    """As "https://ems.example.com"."""
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")] = "main"
    """What the centre is called here."""
    email: Annotated[str, Field(max_length=300)] = ""
    password: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")
    """Instead of e-mail and password; it cannot be renewed when it ends."""
    account: Annotated[Whole, Field(ge=1)] | None = None
    """Whose the assets there shall be, by its number there; the user's own account if left out."""
    scopes: tuple[Scope, ...] = get_args(Scope)
    same_name: SameName = "ask"
    """What to do with what has the name there that ours would get. ask: nothing is linked before
    that is said; adopt: it is ours from then on, unless it is another gateway's; take-over: also
    then; beside: ours gets another name."""


class LinkStepTold(Told):
    """What becomes of one asset or sensor."""

    thing: Literal["asset", "sensor"]
    id: int
    """Its number here."""
    role: str
    """Of sensors: "" (measured), "forecast", "schedule"."""
    path: str
    name: str
    """What it is called there."""
    way: Way
    """have: linked already; find: it is there and is ours; make: it will be made; ask: something
    has its name there; leave: it is not sent."""
    central_id: int | None
    notes: tuple[str, ...]


class AccountThere(Told):
    """An account of the centre."""

    id: int
    name: str


class LinkPlanTold(Told):
    """What linking would do; nothing was changed."""

    name: str
    url: str
    server: str
    version: str
    user: str
    accounts: tuple[AccountThere, ...]
    account: int
    steps: tuple[LinkStepTold, ...]
    notes: tuple[str, ...]


class LinkToldSoFar(Told):
    """What was done; ask again as long as something is left."""

    name: str
    done: tuple[str, ...]
    left: int
    refused: dict[str, str]
    undecided: tuple[LinkStepTold, ...]
    wait_s: float


class CentreTold(Told):
    """A centre this gateway is linked with."""

    name: str
    url: str
    server: str
    version: str
    account: int
    account_name: str
    user: str
    linked: Moment
    scopes: tuple[str, ...]
    complete: bool
    """Whether linking came to its end."""
    links: int


class AskUnlink(Shape):
    """How a link is undone."""

    delete_there: bool = False
    """Also delete what was made there, with its data. Asked in the address, where all is text."""


class UnlinkedTold(Told):
    """What was forgotten here, and deleted there."""

    name: str
    url: str
    links: int
    deleted: tuple[str, ...]
    kept: dict[str, str]
    left: int
    """Assets to be looked at there before anything is forgotten: ask again as long as there are."""
    wait_s: float
