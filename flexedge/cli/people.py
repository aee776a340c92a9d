"""Accounts, users and keys from the command line: the words, and who is asked.

While a gateway runs it is asked over its local API, else the store is opened here; either way the
same operations do the work.
"""

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from flexedge.cli.client import DaemonAway, client, in_words
from flexedge.config.settings import Settings, load_settings
from flexedge.errors import FlexedgeError, RequestError, StoreLocked

ROOT = "/api/v3_0"
_Parsers = "argparse._SubParsersAction[argparse.ArgumentParser]"


class Asked(Protocol):
    """Who answers requests to the API; ``cli.client.Client`` does."""

    def send(
        self, method: str, path: str, parameters: Mapping[str, Any] | None = None, body: Any = None
    ) -> Any:
        """The JSON answer; None where there is none. Raises ``FlexedgeError``."""


@contextmanager
def asked(options: argparse.Namespace) -> Iterator[Asked]:
    """The gateway that runs, or the store of one that does not."""
    settings = load_settings(options.settings, os.environ)
    with ExitStack() as stack:
        try:
            found: Asked = stack.enter_context(_opened(settings))
        except StoreLocked as error:
            try:
                found = client(options)
            except DaemonAway as away:
                raise StoreLocked(f"{error}, and cannot be asked: {away}") from error
        yield found


@contextmanager
def _opened(settings: Settings) -> Iterator[Asked]:
    from flexedge.cli.desk import LocalDesk, opened  # noqa: PLC0415 (the web part comes with it)

    with opened(settings) as desk:
        yield LocalDesk(desk)


def account_number(gateway: Asked, text: str) -> int:
    """The number of an account that is given by number or name."""
    accounts = gateway.send("GET", f"{ROOT}/accounts")
    return _number(accounts, text, "account", ("name",))


def user_number(gateway: Asked, text: str) -> int:
    """The number of a user who is given by number, e-mail address or name."""
    users = gateway.send("GET", f"{ROOT}/users", {"include_inactive": "true"})
    return _number(users, text, "user", ("email", "username"))


def plan_number(gateway: Asked, text: str) -> int:
    """The number of a plan that is given by number or name."""
    return _number(gateway.send("GET", f"{ROOT}/plans"), text, "plan", ("name",))


def _number(rows: list[dict[str, Any]], text: str, kind: str, names: tuple[str, ...]) -> int:
    for name in names:
        for row in rows:
            if (row[name] or "").lower() == text.lower():
                return int(row["id"])
    if text.isdecimal() and any(row["id"] == int(text) for row in rows):
        return int(text)
    known = ", ".join(str(row[names[0]] or row[names[-1]]) for row in rows[:10])
    raise FlexedgeError(f"there is no {kind} {text!r}; there are {known or 'none'}")


def refused(error: RequestError) -> FlexedgeError:
    """What an operation refused, for the command line."""
    told = getattr(error, "told", error.message)
    return FlexedgeError(in_words(told))


def as_json(value: Any) -> Any:
    """A pydantic value as the API would send it."""
    from pydantic_core import to_json  # noqa: PLC0415 (loaded with the web part)

    return json.loads(to_json(value, by_alias=True))
