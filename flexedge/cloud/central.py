"""A central server as FlexMeasures' API has it: every call the gateway makes of one.

Each call is one HTTP request with a deadline. Raises ``CentreAway`` (later), ``CentreLocked`` (401,
also after logging in anew), ``CentreRefused`` (it said no); nothing else. Not for several threads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from flexedge.cloud.keys import Keys
from flexedge.cloud.pace import Pace
from flexedge.domain.runs import Run

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server says of itself."""

    version: str
    """Of FlexMeasures, or the one whose API it speaks."""
    server: str
    """ "FlexMeasures" or "flexedge"."""


@dataclass(frozen=True, slots=True)
class Whoami:
    """Who we are there."""

    user_id: int
    email: str
    account_id: int
    account: str


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of posted values. ``job``: not stored before that job is done."""

    job: str | None
    known: bool
    """All of it was there already."""


@dataclass(frozen=True, slots=True)
class Job:
    """How far a job is."""

    state: Literal["waiting", "finished", "failed", "gone"]
    """gone: the server does not know it (any more): it may be done, or lost."""
    message: str = ""
    result: Json | None = None


class Central:
    """One server. ``name``: what errors call it; ``now``: the clock, for tokens that end."""

    def __init__(
        self, name: str, url: str, keys: Keys, now: Callable[[], datetime], pace: Pace
    ) -> None:
        raise NotImplementedError

    def greet(self) -> Greeting:
        """What it is; needs no credential. GET /api/."""
        raise NotImplementedError

    def log_in(self) -> None:
        """Get a token with the password, if there is one; keep it in the keys."""
        raise NotImplementedError

    def whoami(self) -> Whoami:
        """GET /users (our own e-mail), GET /accounts/<id>."""
        raise NotImplementedError

    def accounts(self) -> Mapping[int, str]:
        """The accounts we may see, with their names. GET /accounts."""
        raise NotImplementedError

    def asset_types(self) -> Mapping[str, int]:
        """Numbers of asset types by name. GET /assets/types."""
        raise NotImplementedError

    def assets(self, account_id: int) -> Sequence[Json]:
        """All assets of an account, JSON fields as values (not texts). GET /assets."""
        raise NotImplementedError

    def asset(self, number: int) -> Json:
        """One asset, JSON fields as values."""
        raise NotImplementedError

    def add_asset(self, fields: Json) -> int:
        """Make an asset; JSON fields are given as values. Returns its number."""
        raise NotImplementedError

    def change_asset(self, number: int, fields: Json) -> None:
        """PATCH."""
        raise NotImplementedError

    def delete_asset(self, number: int) -> None:
        """With all below it."""
        raise NotImplementedError

    def sensors(self, asset: int) -> Sequence[Json]:
        """Sensors of one asset alone. GET /sensors with asset."""
        raise NotImplementedError

    def sensor(self, number: int) -> Json:
        """One sensor, attributes as values."""
        raise NotImplementedError

    def add_sensor(self, fields: Json) -> int:
        """name, unit, event_resolution (ISO), generic_asset_id, timezone, attributes."""
        raise NotImplementedError

    def change_sensor(self, number: int, fields: Json) -> None:
        """PATCH."""
        raise NotImplementedError

    def delete_sensor(self, number: int) -> None:
        """With its data."""
        raise NotImplementedError

    def post(self, sensor: int, run: Run) -> Posted:
        """Values of a sensor. POST /sensors/<id>/data."""
        raise NotImplementedError

    def values(
        self, sensor: int, start: datetime, duration: timedelta, unit: str, resolution: timedelta
    ) -> Run:
        """The most recent values of a sensor. GET /sensors/<id>/data."""
        raise NotImplementedError

    def annotate(self, thing: Literal["assets", "sensors"], number: int, fields: Json) -> None:
        """content, start, end, type. POST /<thing>/<id>/annotations."""
        raise NotImplementedError

    def trigger(self, asset: int, body: Json) -> str:
        """The job of a schedule. POST /assets/<id>/schedules/trigger."""
        raise NotImplementedError

    def job(self, number: str) -> Job:
        """GET /jobs/<uuid>."""
        raise NotImplementedError

    def schedule(self, sensor: int, job: str, duration: timedelta, unit: str) -> Run | None:
        """Consumption positive; None while it is made. GET /sensors/<id>/schedules/<uuid>."""
        raise NotImplementedError

    def status(self, asset: int) -> Sequence[Json]:
        """Staleness of sensors. GET /assets/<id>/status."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of connections."""
        raise NotImplementedError
