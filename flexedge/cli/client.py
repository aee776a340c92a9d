"""How the command line reaches the running daemon: its local API, with its local token."""

import argparse
import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from flexedge.config.settings import load_settings
from flexedge.errors import FlexedgeError

RUNTIME = "runtime.json"
_TIMEOUT_S = 10.0


class DaemonAway(FlexedgeError):
    """The daemon does not run, or may not be asked."""


class Client:
    """Asks the daemon whose data folder this is. Raises ``DaemonAway`` and ``FlexedgeError``."""

    def __init__(self, folder: Path, timeout_s: float = _TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        path = folder / RUNTIME
        try:
            runtime = json.loads(path.read_text(encoding="utf-8"))
            self._url, token = str(runtime["url"]), str(runtime["token"])
        except PermissionError as error:
            raise DaemonAway(f"{path} may only be read by its owner; try with sudo") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DaemonAway(f"the gateway of {folder} is not running") from error
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **parameters: str) -> Any:
        """The JSON answer to a GET."""
        return self.send("GET", path, parameters)

    def post(self, path: str) -> Any:
        """The JSON answer to a POST without content."""
        return self.send("POST", path, body={})

    def send(
        self, method: str, path: str, parameters: Mapping[str, Any] | None = None, body: Any = None
    ) -> Any:
        """The JSON answer to a request; None where there is none."""
        try:
            answer = self._session.request(
                method, self._url + path, params=parameters, timeout=self._timeout_s, json=body
            )
        except requests.ReadTimeout as error:
            raise DaemonAway(
                f"the gateway has not answered for {self._timeout_s:g} s; it may still be doing"
                " what was asked"
            ) from error
        except requests.RequestException as error:
            raise DaemonAway(f"the gateway does not answer at {self._url}") from error
        if answer.ok and not answer.content:
            return None
        try:
            content = answer.json()
        except ValueError as error:
            raise FlexedgeError(f"{self._url}{path} answered {answer.status_code}") from error
        if not answer.ok:
            raise FlexedgeError(in_words(content.get("message", answer.status_code)))
        return content


def in_words(message: Any) -> str:
    """What was refused, in a line: what is wrong with fields comes as a tree."""
    if isinstance(message, dict):
        told = [(key, in_words(value)) for key, value in message.items()]
        places = ("json", "query", "path")
        return "; ".join(text if key in places else f"{key}: {text}" for key, text in told)
    if isinstance(message, list):
        return " ".join(str(one) for one in message)
    return str(message)


def client(options: argparse.Namespace, timeout_s: float = _TIMEOUT_S) -> Client:
    """The client for the data folder in the settings; ``timeout_s``: how long an answer takes."""
    settings = load_settings(options.settings, os.environ)
    # One that was killed, or whose disk takes no writes any more, leaves an old word behind.
    return Client(max(settings.data_dir, settings.stand_in, key=_said), timeout_s)


def _said(folder: Path) -> float:
    """When a gateway last said where it is to be found; before all times where it did not."""
    try:
        return (folder / RUNTIME).stat().st_mtime
    except OSError:
        return -1.0


def moment(text: str) -> datetime:
    """An ISO 8601 time; without an offset it is local time."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise FlexedgeError(f"{text!r} is not a time; write it as 2026-04-14T12:00") from error
