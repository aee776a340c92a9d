"""A talk with a server in tests: keys in memory, and a clock that is set by hand."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from flexedge.cloud.central import Central, How
from flexedge.cloud.keys import Key
from flexedge.cloud.pace import Pace
from flexedge.errors import CentreLocked, StoreError

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
TOKEN = Key(token="secret-token")
PASSWORD = Key("anna@example.org", "secret-password")


@dataclass
class Clock:
    """Stands until it is set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def on(self, span: timedelta) -> None:
        self.now += span


@dataclass
class Held:
    """Keys that are kept in memory."""

    key: Key | None = TOKEN
    full: bool = False
    """Whether nothing can be written."""
    written: list[Key] = field(default_factory=list)

    def read(self) -> Key:
        if self.key is None:
            raise CentreLocked("main", "there is none")
        return self.key

    def write(self, key: Key) -> None:
        if self.full:
            raise StoreError("the disk is full")
        self.key = key
        self.written.append(key)

    def forget(self) -> None:
        self.key = None


def central(url: str, held: Held | None = None, clock: Clock | None = None) -> Central:
    """With a pace that nobody reaches."""
    return Central(
        "main", url, held or Held(), clock or Clock(), Pace(10_000, Random(1)), How(total_s=5)
    )
