"""A central server as FlexMeasures' API has it: every call the gateway makes of one.

Each call is one HTTP request with a deadline, but where it says otherwise; one more where a token
has to be renewed before. Raises ``CentreAway`` (later), ``CentreLocked`` (401, also after logging
in anew), ``CentreRefused`` (it said no); nothing else. Not for several threads.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import quote, urlencode

from flexedge.cloud import outcomes, shapes
from flexedge.cloud.answers import NOT_FOUND, retry_after
from flexedge.cloud.keys import Keys
from flexedge.cloud.login import Login
from flexedge.cloud.outcomes import Greeting, Job, Page, Posted, Whoami
from flexedge.cloud.pace import Pace
from flexedge.cloud.shapes import Json
from flexedge.cloud.talk import ROOT, Talk, nothing
from flexedge.cloud.transport import Answer, How, Request
from flexedge.domain.runs import Run, as_json
from flexedge.errors import CentreAway, CentreRefused
from flexedge.wire.shape import duration_text

__all__ = ["Central", "Greeting", "How", "Job", "Json", "Posted", "Whoami"]
_PAGE: Final = 100
_MOST_PAGES: Final = 200
_TOO_MANY: Final = 429
_WAIT_FOR_TRIGGERS: Final = timedelta(minutes=1)
_DEFAULT: Final = How()


class Central:
    """One server. ``name``: what errors call it; ``now``: the clock, for tokens that end.

    ``url``: where its API starts, without "/api" (``cloud.address.centre_url``).
    """

    def __init__(
        self,
        name: str,
        url: str,
        keys: Keys,
        now: Callable[[], datetime],
        pace: Pace,
        how: How = _DEFAULT,
    ) -> None:
        self._name = name
        self._talk = Talk(name, url, keys, now, pace, how)

    @property
    def pace(self) -> Pace:
        """How often it is asked."""
        return self._talk.pace

    @property
    def login(self) -> Login:
        """How our log-in there is: when it ends, and whether it could be kept."""
        return self._talk.login

    @property
    def ahead(self) -> timedelta | None:
        """How far its clock is ahead of ours, to a second or two; None: not known yet."""
        return self._talk.ahead

    @property
    def received(self) -> int:
        """Bytes of answers since the start, as they came."""
        return self._talk.transport.received

    def backfill(self, size: int) -> None:
        """So many bytes that waited are about to be posted. ``CentreAway`` ("paced"): not now."""
        self._talk.paced(self.pace.backfill, self._talk.now(), size)

    def greet(self) -> Greeting:
        """What it is; needs no credential. GET /api/."""
        answer = self._talk.bare(Request("GET", "/api/"))
        return self._talk.judged(lambda told: outcomes.greeting(self._name, told), answer)

    def log_in(self) -> None:
        """Get a token with the password, if there is one; keep it in the keys."""
        self.login.renew()

    def whoami(self) -> Whoami:
        """Two requests: GET /users (our own e-mail), GET /accounts/<id>."""
        email, known = self.login.key.email.lower(), self.login.user_id
        if known is None:
            users = self._talk.get("/users", outcomes.users)
            ours = [number for number, one in users if not email or one.lower() == email]
            if len(ours) != 1:
                raise CentreRefused(
                    self._name, 404, "WHO", f"it knows no user {email}" if email else
                    "it does not say whose token this is: give the e-mail address, too",
                )  # fmt: skip
            known = ours[0]
        told_email, account_id = self._talk.get(f"/users/{known}", outcomes.user)
        _, account = self._talk.get(f"/accounts/{account_id}", outcomes.named)
        return Whoami(known, told_email, account_id, account)

    def accounts(self) -> Mapping[int, str]:
        """The accounts we may see, with their names. GET /accounts."""
        return dict(self._talk.get("/accounts", outcomes.all_named))

    def asset_types(self) -> Mapping[str, int]:
        """Numbers of asset types by name. GET /assets/types."""
        return {
            name: number for number, name in self._talk.get("/assets/types", outcomes.all_named)
        }

    def assets(self, account_id: int, root: int | None = None) -> Sequence[Json]:
        """All assets of an account, JSON fields as values (not texts). GET /assets.

        One request for each hundred. ``root``: only this asset and what is below it. Told is what
        ``shapes.OF_ASSETS`` names.
        """
        asked: dict[str, object] = {"account": account_id, "fields": "|".join(shapes.OF_ASSETS)}
        asked |= {} if root is None else {"root": root}
        # by number: without an order pages may tell one asset twice and another one never
        asked |= {"sort-by": "id", "sort-dir": "asc", "per-page": _PAGE}
        assets: list[Json] = []
        for page in range(1, _MOST_PAGES + 1):
            found = self._assets(asked | {"page": page})
            assets += found.some
            if len(found.some) < _PAGE or (found.whole is not None and len(assets) >= found.whole):
                return assets
        raise CentreAway(self._name, "large", f"account {account_id} has too many assets")

    def _assets(self, asked: Mapping[str, object]) -> Page:
        """One page; an empty one where there are fewer than there were a moment ago."""
        try:
            return self._talk.get("/assets", outcomes.page, asked)
        except CentreRefused as error:
            if error.status != NOT_FOUND or asked["page"] == 1:
                raise
            return Page((), None)

    def asset(self, number: int) -> Json:
        """One asset, JSON fields as values."""
        return self._talk.get(f"/assets/{number}", shapes.unwrapped)

    def add_asset(self, fields: Json) -> int:
        """Make an asset; JSON fields are given as values. Returns its number."""
        return self._talk.send("POST", "/assets", shapes.wrapped(fields), outcomes.numbered)

    def change_asset(self, number: int, fields: Json) -> None:
        """PATCH."""
        self._talk.send("PATCH", f"/assets/{number}", shapes.wrapped(fields), nothing)

    def delete_asset(self, number: int) -> None:
        """With all below it."""
        self._talk.ask(Request("DELETE", f"{ROOT}/assets/{number}"), self._talk.plainly(nothing))

    def sensors(self, asset: int) -> Sequence[Json]:
        """Sensors of one asset alone. GET /sensors with asset."""
        found = self._talk.get("/sensors", outcomes.all_unwrapped, {"asset": asset})
        return [one for one in found if one.get("generic_asset_id") == asset]

    def sensor(self, number: int) -> Json:
        """One sensor, attributes as values."""
        return self._talk.get(f"/sensors/{number}", shapes.unwrapped)

    def add_sensor(self, fields: Json) -> int:
        """name, unit, event_resolution (ISO), generic_asset_id, timezone, attributes."""
        return self._talk.send("POST", "/sensors", shapes.wrapped(fields), outcomes.numbered)

    def change_sensor(self, number: int, fields: Json) -> None:
        """PATCH."""
        self._talk.send("PATCH", f"/sensors/{number}", shapes.wrapped(fields), nothing)

    def delete_sensor(self, number: int) -> None:
        """With its data."""
        self._talk.ask(Request("DELETE", f"{ROOT}/sensors/{number}"), self._talk.plainly(nothing))

    def post(self, sensor: int, run: Run) -> Posted:
        """Values of a sensor. POST /sensors/<id>/data."""
        return self._talk.send("POST", f"/sensors/{sensor}/data", as_json(run), outcomes.posted)

    def values(
        self, sensor: int, start: datetime, duration: timedelta, unit: str, resolution: timedelta
    ) -> Run:
        """The most recent values of a sensor. GET /sensors/<id>/data."""
        asked = {
            "start": start.isoformat(), "duration": duration_text(duration), "unit": unit,
            "resolution": duration_text(resolution),
        }  # fmt: skip
        return self._talk.get(f"/sensors/{sensor}/data", shapes.run, asked)

    def believed(self, sensor: int, run: Run, at: datetime) -> Run:
        """What was believed at a time of a run's events. GET /sensors/<id>/data?prior=."""
        asked = {
            "start": run.start.isoformat(), "duration": duration_text(run.end - run.start),
            "unit": run.unit, "resolution": duration_text(run.step), "prior": at.isoformat(),
        }  # fmt: skip
        return self._talk.get(f"/sensors/{sensor}/data", shapes.run, asked)

    def annotate(self, thing: Literal["assets", "sensors"], number: int, fields: Json) -> None:
        """content, start, end, type. POST /<thing>/<id>/annotations."""
        self._talk.send("POST", f"/{thing}/{number}/annotations", fields, nothing)

    def trigger(self, asset: int, body: Json) -> str:
        """The job of a schedule. POST /assets/<id>/schedules/trigger.

        Where the server takes no more triggers for now, that is ``CentreAway`` ("paced"): all else
        goes on.
        """
        self._talk.paced(self.pace.trigger, self._talk.now())
        request = self._talk.request("POST", f"/assets/{asset}/schedules/trigger", body)
        return self._talk.ask(request, self._triggered)

    def job(self, number: str) -> Job:
        """GET /jobs/<uuid>."""
        return self._talk.ask(
            Request("GET", f"{ROOT}/jobs/{quote(number, safe='')}"),
            lambda answer: outcomes.job(self._name, answer, self.login.secrets),
        )

    def schedule(self, sensor: int, job: str, duration: timedelta, unit: str) -> Run | None:
        """Consumption positive; None while it is made. GET /sensors/<id>/schedules/<uuid>.

        A schedule that failed is ``CentreRefused`` with code "UNKNOWN_SCHEDULE", a job that is not
        known any more one with "UNRECOGNIZED_UDI_EVENT".
        """
        asked = urlencode({"duration": duration_text(duration), "unit": unit})
        path = f"{ROOT}/sensors/{sensor}/schedules/{quote(job, safe='')}?{asked}"
        return self._talk.ask(
            Request("GET", path),
            lambda answer: outcomes.schedule(self._name, answer, self.login.secrets),
        )

    def status(self, asset: int) -> Sequence[Json]:
        """Staleness of the sensors of one asset alone.

        One request more than it has sensors: GET /sensors/<id>/status.
        """
        return [one for sensor in self.sensors(asset) for one in self.status_of(sensor["id"])]

    def status_of(self, sensor: int) -> Sequence[Json]:
        """Staleness of a sensor, by type of source. GET /sensors/<id>/status."""
        return self._talk.get(f"/sensors/{sensor}/status", outcomes.stalenesses)

    def close(self) -> None:
        """Let go of connections."""
        self._talk.transport.close()

    def _triggered(self, answer: Answer) -> str:
        if answer.status != _TOO_MANY:
            return self._talk.plainly(outcomes.triggered)(answer)
        wait = retry_after(answer.headers) or _WAIT_FOR_TRIGGERS
        self.pace.no_triggers(self._talk.now(), wait)
        raise CentreAway(self._name, "paced", "it takes no more triggers for a time", wait)
