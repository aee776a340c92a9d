"""Secrets of accounts and assets: kept encrypted, under keys that are not where the state is.

The keys are in a file of their own in the data folder, readable by us alone; neither the state, nor
its snapshots, nor backups hold them. Who has one of these without that file has no secret.
"""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Final, Literal

from flexedge.errors import BadField, StoreDamaged, StoreError
from flexedge.store.local import durable
from flexedge.store.state import State
from flexedge.store.tables.secrets import Secret

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

Kind = Literal["account", "asset"]
Keys = dict[str, str]
KEYS: Final = "secrets.key"
"""The file with the keys: JSON, by their ids, the newest last."""
_PATH: Final = re.compile(r"[A-Za-z0-9_-]{1,80}(\.[A-Za-z0-9_-]{1,80})?")
_MOST: Final = 64 * 1024  # characters of a secret
_LOST: Final = "set it anew, or put the file back that belongs to this data folder"


@dataclass(frozen=True, slots=True)
class Thing:
    """Whose a secret is."""

    kind: Kind
    number: int


class Safe:
    """Keeps secrets. Safe to use from any thread. Raises ``StoreError``."""

    def __init__(self, state: State, folder: Path) -> None:
        self._state = state
        self._file = folder / KEYS
        self._lock = threading.Lock()

    def put(self, thing: Thing, path: str, value: str, expires: datetime | None = None) -> None:
        """Keep a secret in the place of what was there, until it expires (None: for good).

        ``path``: one or two names with a point between. Raises ``BadField`` for another one, and
        for a value that is empty or too long.
        """
        if not _PATH.fullmatch(path):
            raise BadField("path", "should be one or two names, as 'token' or 'prices.token'")
        if not 0 < len(value) <= _MOST:
            raise BadField("value", f"should have 1 to {_MOST} characters")
        with self._lock:
            keys = self._keys() or self._with_new_key({})
            new = _sealed(thing, path, value, keys)
            row = Secret(thing.kind, thing.number, path, *new, expires)
            for number in self._rows(thing, path=path):
                self._state.secrets.change(number, row)
                return
            self._state.secrets.add(row)

    def get(self, thing: Thing, path: str, now: datetime) -> str | None:
        """A secret; None if there is none, or it has expired.

        Raises ``StoreError`` for a lost key, ``StoreDamaged`` where what is kept is not what was
        put there.
        """
        with self._lock:
            for row in self._rows(thing, path=path).values():
                return None if _over(row, now) else _opened(row, self._keys())
        return None

    def listed(self, thing: Thing, now: datetime) -> Mapping[str, datetime | None]:
        """The paths of a thing's secrets, and until when they hold; never what they are."""
        rows = self._rows(thing).values()
        return {row.path: row.expires for row in rows if not _over(row, now)}

    def remove(self, thing: Thing, path: str) -> bool:
        """Forget a secret; whether it was there."""
        with self._lock:
            return any(map(self._state.secrets.remove, self._rows(thing, path=path)))

    def remove_expired(self, now: datetime) -> int:
        """Forget what has expired; how many that were."""
        with self._lock:
            every = self._state.secrets.all().items()
            gone = [number for number, row in every if _over(row, now)]
            return sum(self._state.secrets.remove(number) for number in gone)

    def rotate(self) -> int:
        """Encrypt every secret with a new key and forget the ones before; how many secrets.

        A power cut leaves all keys that are needed; to rotate once more makes it good. A secret
        whose key is lost stays as it is.
        """
        with self._lock:
            keys = self._with_new_key(self._keys())
            newest = list(keys)[-1]
            done = 0
            for number, row in self._state.secrets.all().items():
                if row.key_id in keys:
                    thing = Thing("account" if row.thing == "account" else "asset", row.thing_id)
                    new = _sealed(thing, row.path, _opened(row, keys), keys)
                    changed = Secret(row.thing, row.thing_id, row.path, *new, row.expires)
                    self._state.secrets.change(number, changed)
                    done += 1
            self._write({newest: keys[newest]})
            return done

    def _rows(self, thing: Thing, **more: str) -> Mapping[int, Secret]:
        return self._state.secrets.find(thing=thing.kind, thing_id=thing.number, **more)

    def _keys(self) -> Keys:
        try:
            if not self._file.exists():
                return {}
            found = json.loads(durable.read(self._file))
        except ValueError as error:
            raise StoreError(f"{self._file}: holds no keys; {_LOST}") from error
        if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
            raise StoreError(f"{self._file}: holds no keys; {_LOST}")
        return found

    def _with_new_key(self, keys: Keys) -> Keys:
        from cryptography.fernet import Fernet  # noqa: PLC0415 (0.1 s, seconds on a Pi)

        new = {**keys, token_hex(4): Fernet.generate_key().decode()}
        self._write(new)
        return new

    def _write(self, keys: Keys) -> None:
        durable.write(self._file, json.dumps(keys).encode())


def _over(row: Secret, now: datetime) -> bool:
    return row.expires is not None and row.expires <= now


def _cipher(key: str) -> "Fernet":
    from cryptography.fernet import Fernet  # noqa: PLC0415 (as above)

    try:
        return Fernet(key)
    except ValueError as error:
        raise StoreError(f"{KEYS} holds a key that is none; {_LOST}") from error


def _sealed(thing: Thing, path: str, value: str, keys: Keys) -> tuple[str, str]:
    """A value as it is kept, and the id of the key: the newest."""
    key_id = list(keys)[-1]
    text = json.dumps([thing.kind, thing.number, path, value]).encode()
    return _cipher(keys[key_id]).encrypt(text).decode(), key_id


def _opened(row: Secret, keys: Keys) -> str:
    """The value of a secret, if it is the one of its place."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 (as above)

    if row.key_id not in keys:
        raise StoreError(f"the key {row.key_id} of secret '{row.path}' is not in {KEYS}; {_LOST}")
    try:
        kind, number, path, value = json.loads(_cipher(keys[row.key_id]).decrypt(row.sealed_value))
    except (InvalidToken, ValueError) as error:
        raise StoreDamaged(f"secret '{row.path}' is not what was kept; set it anew") from error
    if (kind, number, path) != (row.thing, row.thing_id, row.path):
        raise StoreDamaged(f"secret '{row.path}' is another one; set it anew")
    return str(value)
