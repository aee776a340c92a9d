"""How the gateway keeps its log-in at a server: a token, and another one before that ends.

FlexMeasures' tokens last six hours without saying so, those of flexedge as long. Another one is
got with the password, or with a refresh token where the server has such a thing. That can be used
once: where its answer is lost, the token we have is used until it ends, and only then, for better
or worse, the refresh token is shown again.
"""

import json
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Final

from flexedge.cloud.answers import meaning
from flexedge.cloud.keys import TOKEN, Key, Keys
from flexedge.cloud.transport import Answer, Request
from flexedge.errors import Away, CentreAway, CentreError, CentreLocked, CentreRefused, StoreError

LASTS: Final = timedelta(hours=6)
"""A token, if the server is set up as usual."""
_PATIENCE: Final = timedelta(minutes=15)
"""After an early renewal that failed, until the next one is tried."""
_UNSENT: Final[tuple[Away, ...]] = ("dns", "connect", "tls", "clock", "paced")
"""Kinds of absence with which the server cannot have got anything."""


class Login:
    """The log-in at one server. ``ask`` makes a request; errors name ``centre``."""

    def __init__(
        self,
        centre: str,
        keys: Keys,
        now: Callable[[], datetime],
        ask: Callable[[Request], Answer],
        renew_after: timedelta,
    ) -> None:
        self._centre, self._keys, self._now, self._ask = centre, keys, now, ask
        self._renew_after = renew_after
        self._key: Key | None = None
        self._not_before: datetime | None = None
        self.user_id: int | None = None
        """Who we are there, where a log-in has told it."""
        self.unsaved = ""
        """Why the newest token could not be kept, if so; it is used nevertheless."""

    @property
    def key(self) -> Key:
        """What is known of who we are. Raises ``CentreLocked``."""
        if self._key is None:
            self._key = self._keys.read()
        return self._key

    @property
    def secrets(self) -> Collection[str]:
        """What must not be told."""
        return () if self._key is None else self._key.secrets

    def ends(self) -> datetime | None:
        """When the log-in ends for good, as far as is known: with a token and nothing else."""
        key = self.key
        return None if key.renewable or key.since is None else key.since + LASTS

    def token(self) -> str:
        """What to show. Raises ``CentreError`` where there is none and none can be got."""
        key, now = self.key, self._now()
        if key.token and (not key.renewable or not self._due(key, now)):
            return _sendable(self._centre, key.token)
        try:
            self.renew()
        except CentreError as error:
            if not key.token:
                raise
            doubtful = isinstance(error, CentreAway) and error.kind not in _UNSENT and key.refresh
            self._not_before = None if doubtful else now + _PATIENCE
            if doubtful:
                self._key = key.with_token(key.token, now, key.refresh)  # until it is refused
        return _sendable(self._centre, self.key.token)

    def renew(self, refused: str = "") -> None:
        """Get another token. ``refused``: the one that is not accepted any more.

        Raises ``CentreLocked`` where that cannot be, and ``CentreAway``.
        """
        key = self._key = self._keys.read()  # somebody may have linked anew
        if refused and key.token not in ("", refused):
            return
        if key.email and key.password:
            told = self._post("requestAuthToken", {"email": key.email, "password": key.password})
        elif key.refresh:
            told = self._post("refreshAuthToken", {"refresh_token": key.refresh})
        else:
            raise CentreLocked(
                self._centre, "the token is not accepted (any more), and there is no password to"
                " get another one with: link again"
            )  # fmt: skip
        self._take(key, told)

    def _due(self, key: Key, now: datetime) -> bool:
        if self._not_before is not None and now < self._not_before <= now + _PATIENCE:
            return False
        return key.since is not None and now - key.since >= self._renew_after

    def _post(self, what: str, fields: dict[str, str]) -> Any:
        body = json.dumps(fields).encode()
        request = Request(
            "POST", f"/api/{what}", {"Content-Type": "application/json"}, body,
            twice="refresh_token" not in fields,
        )  # fmt: skip
        secrets = [value for name, value in fields.items() if name != "email"]
        try:
            return meaning(self._centre, self._ask(request), secrets)
        except CentreRefused as error:  # FlexMeasures: 404, if there is no such user
            words = f"it does not let us log in: {error.message}"
            raise CentreLocked(self._centre, words) from error

    def _take(self, key: Key, told: Any) -> None:
        fields = told if isinstance(told, dict) else {}
        token, refresh = fields.get("auth_token"), fields.get("refresh_token", "")
        if not isinstance(token, str) or not isinstance(refresh, str) or not token:
            raise CentreAway(self._centre, "garbled", "it lets us log in, but gives no token")
        number = fields.get("user_id")
        self.user_id = number if isinstance(number, int) else None
        self._key = key.with_token(token, self._now(), refresh)
        self._not_before, self.unsaved = None, ""
        try:
            self._keys.write(self._key)
        except StoreError as error:
            self.unsaved = str(error)


def _sendable(centre: str, token: str) -> str:
    """A token that can be in a header: libraries tell what is wrong with one by showing it."""
    if not TOKEN.fullmatch(token):
        raise CentreLocked(centre, "the token holds characters that no token has: link again")
    return token
