"""Whether the machine's clock is right, from what can be known of it. Pure.

The first line that applies decides:

| the clock                                                                  | trusted |
| -------------------------------------------------------------------------- | ------- |
| is right, as the settings say (``clock-trust: always``)                    | yes     |
| is before this version of flexedge was made                                | no      |
| is synchronised                                                            | yes     |
| goes on as it did when it was last trusted, in this boot                   | yes     |
| is before the last time that was trusted                                   | no      |
| is more than ten years ahead of this version                               | no      |
| says the same as a clock that runs without power                           | yes     |
| is that of a virtual machine, whose host keeps it                          | yes     |
| else                                                                       | no      |
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

MADE = datetime(2026, 1, 1, tzinfo=UTC)
"""Not later than this version was made; moved on with a release."""
SAME_US = 60_000_000
"""So far apart two clocks still say the same."""
_ABSURD = timedelta(days=3653)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the machine tells of its clock."""

    boot: str
    """The boot, as the kernel calls it."""
    synchronised: bool
    """The kernel, or systemd's time service, says that the clock is kept by NTP or the like."""
    rtc_us: int | None
    """What a clock that runs without power says now (UTC in microseconds); None: there is none."""
    virtual: bool
    """A virtual machine."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """A moment at which the clock was trusted; the last one is remembered over restarts."""

    boot: str
    offset_us: int
    """UTC less monotonic time."""
    utc_us: int

    def text(self) -> str:
        """As it is remembered."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str | None) -> Self | None:
        """What was remembered; None where nothing was, or nothing that can be read."""
        try:
            known = json.loads(text or "null")
            return cls(str(known["boot"]), int(known["offset_us"]), int(known["utc_us"]))
        except (ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the clock is right, and why, as the end of a sentence."""

    trusted: bool
    why: str


def judge(up_us: int, utc_us: int, facts: Facts, last: Trusted | None, *, always: bool) -> Verdict:
    """Judge a clock that says ``utc_us`` at the monotonic time ``up_us``."""
    made_us = (MADE - _EPOCH) // _US
    says = f"it says {_day(utc_us)}"
    goes_on = last is not None and (
        last.boot == facts.boot and abs(utc_us - up_us - last.offset_us) <= SAME_US
    )
    floor_us = made_us if last is None else last.utc_us
    kept = facts.rtc_us is not None and abs(facts.rtc_us - utc_us) <= SAME_US
    table = (
        (always, True, "the settings say that it is right"),
        (utc_us < made_us, False, f"{says}, which is before flexedge was made"),
        (facts.synchronised, True, "it is synchronised"),
        (goes_on, True, "it goes on as it did when it was trusted"),
        (utc_us < floor_us, False, f"{says}, but it was {_day(floor_us)} before"),
        (utc_us > made_us + _ABSURD // _US, False, f"{says}, which is far ahead"),
        (kept, True, "a clock that runs without power says the same"),
        (facts.virtual, True, "the host keeps it"),
    )
    for applies, trusted, why in table:
        if applies:
            return Verdict(trusted, why)
    return Verdict(False, "it is not synchronised")


def _day(us: int) -> str:
    return f"{_EPOCH + timedelta(microseconds=us):%Y-%m-%d %H:%M} UTC"
