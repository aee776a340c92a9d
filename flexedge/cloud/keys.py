"""Credentials for centres: in files that only we may read, or given by systemd; nowhere else."""

import base64
import binascii
import errno
import json
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from flexedge.errors import CentreLocked, RequestError, StoreError, StoreFull, StoreUnwritable

FOLDER: Final = "centres"
_MOST: Final = 1 << 16  # bytes of a credential
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,4000}=*")
"""What may be sent as a token (RFC 6750)."""
_SIGNED: Final = re.compile(r"[\w-]+\.([\w-]{5,8})\.[\w-]+")
_SENSIBLE: Final = range(1_500_000_000, 4_000_000_000)  # seconds since 1970
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


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

    @property
    def renewable(self) -> bool:
        """Whether another token can be had."""
        return bool((self.email and self.password) or self.refresh)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be told."""
        return tuple(text for text in (self.password, self.token, self.refresh) if text)

    def with_token(self, token: str, since: datetime, refresh: str = "") -> "Key":
        """The same with a new token."""
        return replace(self, token=token, since=since, refresh=refresh)


class Keys(Protocol):
    """Where the credential of one centre is."""

    def read(self) -> Key:
        """Raises ``CentreLocked`` where there is none that can be read."""

    def write(self, key: Key) -> None:
        """Keep another token. Raises ``StoreError``; what systemd gave is not written anew."""

    def forget(self) -> None:
        """Keep nothing any more; what systemd gave stays. Raises ``StoreError``."""


class KeyFile:
    """``<folder>/centres/<name>.json``, mode 0600; or systemd's credential ``centre-<name>``.

    ``given``: the folder that systemd made for credentials. What is there goes first, and is
    never written: a token that was got with it lasts until the program ends. Raises
    ``RequestError`` for a name that is no name of a centre.
    """

    def __init__(self, folder: Path, name: str, given: Path | None) -> None:
        if not _NAME.fullmatch(name):
            raise RequestError(422, f"{name!r} is no name for a centre; use letters, digits and -.")
        self._name = name
        self._path = folder / FOLDER / f"{name}.json"
        self._given = None if given is None else given / f"centre-{name}"
        self._held: tuple[Key, Key] | None = None
        """What systemd gave, and what became of it."""

    def read(self) -> Key:
        """Raises ``CentreLocked`` where there is none that can be read."""
        given = self._read_given()
        if given is None:
            return self._read_file()
        return self._held[1] if self._held and self._held[0] == given else given

    def write(self, key: Key) -> None:
        """Keep another token. Raises ``StoreError``; what systemd gave is not written anew."""
        if (given := self._read_given()) is not None:
            self._held = (given, key)
            return
        _write(self._path, json.dumps(_as_json(key)).encode())

    def forget(self) -> None:
        """Remove the file, if there is one. Raises ``StoreError``."""
        self._held = None
        try:
            self._path.unlink(missing_ok=True)
            if self._path.parent.is_dir():
                _sync(self._path.parent)
        except OSError as error:
            raise _failed(self._path, error) from error

    def _read_given(self) -> Key | None:
        if self._given is None:
            return None
        try:
            content = self._given.read_bytes()[: _MOST + 1]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._locked(f"{self._given} cannot be read: {error.strerror}") from error
        key = self._parsed(content, self._given)
        if key.refresh:
            raise self._locked(
                f"{self._given} holds a refresh token, which its first use uses up: give"
                " email:password or a token that lasts"
            )
        return key

    def _read_file(self) -> Key:
        try:
            number = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(number, "rb") as file:
                found = os.fstat(number)
                if not stat.S_ISREG(found.st_mode):
                    raise self._locked(f"{self._path} is no file")
                if found.st_mode & 0o077:
                    raise self._locked(
                        f"{self._path} holds a credential and may be read by others, so it is not"
                        f" used: chmod 600 {self._path}, and change the password"
                    )
                content = file.read(_MOST + 1)
        except FileNotFoundError as error:
            raise self._locked(
                f"there is no credential for it ({self._path}): log in with flexedge link URL"
                " --email ADDRESS"
            ) from error
        except OSError as error:
            raise self._locked(f"{self._path} cannot be read: {error.strerror}") from error
        return self._parsed(content, self._path)

    def _parsed(self, content: bytes, path: Path) -> Key:
        try:
            key = parsed(content.decode().strip()) if len(content) <= _MOST else None
        except ValueError:
            key = None
        if key is None:
            raise self._locked(
                f"{path} holds no credential: write email:password, a token, or JSON with"
                " email, password and token"
            )
        return key

    def _locked(self, message: str) -> CentreLocked:
        return CentreLocked(self._name, message)


def parsed(text: str) -> Key:
    """A credential as people write it: ``email:password``, a token, or JSON of a ``Key``.

    Raises ``ValueError``, which does not tell what was given.
    """
    if text.startswith("{"):
        return _of_json(text)
    email, colon, password = text.partition(":")
    if colon and "@" in email and password:
        return Key(email=email.strip(), password=password)
    if TOKEN.fullmatch(text):
        return Key(token=text, since=issued(text))
    raise ValueError("this is no credential")


def issued(token: str) -> datetime | None:
    """When a token was given, where it says so: FlexMeasures signs its tokens with a time.

    Three parts with points between, the second one seconds since 1970 in base64 (itsdangerous'
    URLSafeTimedSerializer).
    """
    found = _SIGNED.fullmatch(token)
    if found is None:
        return None
    try:
        seconds = int.from_bytes(base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)))
    except binascii.Error:
        return None
    return datetime.fromtimestamp(seconds, UTC) if seconds in _SENSIBLE else None


def _of_json(text: str) -> Key:
    try:
        told: Any = json.loads(text)
        fields = {name: told.get(name) or "" for name in ("email", "password", "token", "refresh")}
        since = datetime.fromisoformat(told["since"]) if told.get("since") else None
    except (ValueError, TypeError, RecursionError):
        raise ValueError("this is no credential") from None
    if not all(isinstance(value, str) for value in fields.values()):
        raise ValueError("this is no credential")
    tokens = all(not text or TOKEN.fullmatch(text) for text in (fields["token"], fields["refresh"]))
    key = Key(**fields, since=since)
    if not tokens or (since is not None and since.utcoffset() is None):
        raise ValueError("this is no credential")
    if not key.token and not key.renewable:
        raise ValueError("this is no credential")
    return replace(key, since=key.since or issued(key.token))


def _as_json(key: Key) -> dict[str, str]:
    since = key.since.isoformat() if key.since else ""
    told = {"email": key.email, "password": key.password, "token": key.token, "since": since}
    told["refresh"] = key.refresh
    return {name: value for name, value in told.items() if value}


def _write(path: Path, content: bytes) -> None:
    """Whole and for good or not at all, in a folder that is ours alone."""
    partial = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        partial.unlink(missing_ok=True)
        number = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(number)
        partial.replace(path)
        _sync(path.parent)
        _sync(path.parent.parent)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise _failed(path, error) from error


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _failed(path: Path, error: OSError) -> StoreError:
    words = f"{path}: {error.strerror or error}"
    if error.errno in _FULL:
        return StoreFull(words)
    readonly = error.errno in (errno.EROFS, errno.EIO)
    return StoreUnwritable(words) if readonly else StoreError(words)
