"""Requests to one server with all that belongs to them: pace, log-in, and what answers mean."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from flexedge.cloud.answers import http_date, meaning
from flexedge.cloud.keys import Keys
from flexedge.cloud.login import Login
from flexedge.cloud.pace import Pace
from flexedge.cloud.shapes import Misshapen
from flexedge.cloud.transport import Answer, How, Request, Transport
from flexedge.errors import CentreAway, CentreLocked, CentreRefused

ROOT: Final = "/api/v3_0"
_JSON: Final = {"Content-Type": "application/json"}
T = TypeVar("T")


def nothing(_told: Any) -> None:
    """The shape of an answer that nobody wants to know."""


class Talk:
    """Requests to one server. Not for several threads.

    Everything raises ``CentreAway``, ``CentreLocked`` and ``CentreRefused``.
    """

    def __init__(
        self, name: str, url: str, keys: Keys, now: Callable[[], datetime], pace: Pace, how: How
    ) -> None:
        self.name, self.now, self.pace = name, now, pace
        self.transport = Transport(name, url, how)
        self.login = Login(name, keys, now, self.bare, how.renew_after)
        self.ahead: timedelta | None = None
        """How far the server's clock is ahead of ours, to a second or two; None: not known."""

    def get(
        self, path: str, shape: Callable[[Any], T], query: Mapping[str, object] | None = None
    ) -> T:
        """What GET answers, in its shape."""
        asked = f"?{urlencode(query)}" if query else ""
        return self.ask(Request("GET", ROOT + path + asked), self.plainly(shape))

    def send(self, method: str, path: str, body: Any, shape: Callable[[Any], T]) -> T:
        """What another method answers."""
        return self.ask(self.request(method, path, body), self.plainly(shape))

    def request(self, method: str, path: str, body: Any) -> Request:
        """A request with a body. One that is no JSON is refused as a server would."""
        try:
            content = json.dumps(body, allow_nan=False).encode()
        except (ValueError, TypeError) as error:
            raise CentreRefused(self.name, 422, "NO_JSON", f"not sent: {error}") from error
        return Request(method, ROOT + path, _JSON, content)

    def plainly(self, shape: Callable[[Any], T]) -> Callable[[Answer], T]:
        """What an answer means, if nothing is special about its status."""
        return lambda answer: shape(meaning(self.name, answer, self.login.secrets))

    def ask(self, request: Request, judge: Callable[[Answer], T]) -> T:
        """What ``judge`` makes of the answer; with another token if ours is not accepted."""
        token = self.login.token()
        try:
            return self.judged(judge, self._shown(request, token))
        except CentreLocked:
            self.login.renew(refused=token)
        return self.judged(judge, self._shown(request, self.login.token()))

    def bare(self, request: Request) -> Answer:
        """One request as it is."""
        self.paced(self.pace.take, self.now(), request.size)
        answer = self.transport.ask(request)
        there = http_date(answer.headers.get("date", ""))
        self.ahead = None if there is None else there - self.now()
        return answer

    def judged(self, judge: Callable[[Answer], T], answer: Answer) -> T:
        """What ``judge`` makes of an answer; the pace is told how it went."""
        try:
            found = judge(answer)
        except CentreAway as error:
            if error.kind == "busy":
                self.pace.failed(error, self.now())
            raise
        except (CentreLocked, CentreRefused):
            self.pace.succeeded(self.now())
            raise
        except Misshapen as error:
            raise CentreAway(self.name, "garbled", f"its answer is odd: {error}") from error
        self.pace.succeeded(self.now())
        return found

    def paced(self, ask: Callable[..., None], *what: Any) -> None:
        """Ask the pace; what it says is said in the name of the centre."""
        try:
            ask(*what)
        except CentreAway as error:
            raise CentreAway(self.name, error.kind, error.message, error.retry_after) from error

    def _shown(self, request: Request, token: str) -> Answer:
        headers = {**request.headers, "Authorization": token}
        return self.bare(Request(request.method, request.path, headers, request.body))
