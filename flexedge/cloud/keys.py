"""Credentials for centres: in files that only we may read, or given by systemd; nowhere else."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Key:
    """Who we are at a server. Without a password a token cannot be renewed."""

    email: str = ""
    password: str = ""
    token: str = ""
    since: datetime | None = None
    """When the token was given; None: not known."""
    refresh: str = ""
    """What gets another token without the password, where the server has such a thing."""

    def __repr__(self) -> str:
        return f"Key({self.email!r}, …)"

    def with_token(self, token: str, since: datetime, refresh: str = "") -> "Key":
        """The same with a new token."""
        return replace(self, token=token, since=since, refresh=refresh)


class Keys(Protocol):
    """Where the credential of one centre is."""

    def read(self) -> Key:
        """Raises ``CentreLocked`` where there is none that can be read."""

    def write(self, key: Key) -> None:
        """Keep another token. Raises ``StoreError``; what systemd gave is not written anew."""


class KeyFile:
    """``<folder>/centres/<name>.json``, mode 0600; or systemd's credential ``centre-<name>``."""

    def __init__(self, folder: Path, name: str, given: Path | None) -> None:
        raise NotImplementedError
