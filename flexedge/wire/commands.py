"""What a centre may ask a gateway to do: entries of an attribute of the site's asset there."""

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag, TypeAdapter

from flexedge.wire.gateway import AskLimit, AskOverride, Name, Why
from flexedge.wire.shape import Moment, Shape, Told

ASKED: Final = "flexedge-commands"
"""The attribute that commands are written to, as a list."""
DONE: Final = "flexedge-results"
"""The attribute that the gateway writes what came of them to, the newest last."""
Kind = Literal["override", "limit", "polling", "bundle"]
Id = Annotated[str, Field(min_length=1, max_length=80)]


class _Given(Shape):
    """What every command has."""

    id: Id
    """Its own: what has the id of an earlier one is not done again."""
    at: Moment
    """When it was given."""
    by: Annotated[str, Field(max_length=60)] = ""
    """Who gave it."""


class Override(_Given, AskOverride):
    """Have an asset do something else than planned, until a time."""

    command: Literal["override"]
    expires: Moment | None = None
    """Not begun after that; if left out: ``until``."""

    @property
    def last(self) -> Moment:
        """After when it is not begun any more."""
        return self.until if self.expires is None else min(self.expires, self.until)


class Limit(_Given, AskLimit):
    """Limit an asset or the grid connection beside the installer, until a time."""

    command: Literal["limit"]
    expires: Moment | None = None

    @property
    def last(self) -> Moment:
        """After when it is not begun any more."""
        return self.until if self.expires is None else min(self.expires, self.until)


class _Expiring(_Given):
    """A command that has no other end."""

    expires: Moment

    @property
    def last(self) -> Moment:
        """After when it is not done any more."""
        return self.expires


class End(_Expiring):
    """Take an override or a limit of an earlier command back."""

    command: Literal["override", "limit"]
    ends: Id
    """The id of that command."""
    why: Why = ""


class Polling(_Expiring):
    """Begin anew with a device: connect and ask for everything."""

    command: Literal["polling"]
    device: Name


class Bundle(_Expiring):
    """Put together on site what support needs to know."""

    command: Literal["bundle"]


def _kind(given: Any) -> str | None:
    if not isinstance(given, dict):
        return None
    kind = given.get("command")
    if "ends" in given and kind in ("override", "limit"):
        return "end"
    return kind if isinstance(kind, str) else None


Command = Override | Limit | End | Polling | Bundle
COMMAND: Final[TypeAdapter[Command]] = TypeAdapter(
    Annotated[
        Annotated[Override, Tag("override")]
        | Annotated[Limit, Tag("limit")]
        | Annotated[End, Tag("end")]
        | Annotated[Polling, Tag("polling")]
        | Annotated[Bundle, Tag("bundle")],
        Discriminator(
            _kind,
            custom_error_type="command",
            custom_error_message="command should be one of override, limit, polling, bundle",
        ),
    ]
)


class Outcome(Told):
    """What came of a command, as it is told to the centre."""

    id: str
    command: str
    result: Literal["done", "refused", "failed"]
    why: str
    at: Moment
