"""How regularly devices are read: counted on the gateway's own clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from hil.api import FAST, Api, Polls

SPARE_POLLS = 4
"""A window cuts through up to four periods (1 s, 2 s, 5 s, 10 s); each end may cost a poll."""
LATE_S = 0.5
"""Further than this from the period of its sensor, a reading was not on time."""
SPARE_LATE = 1
"""So many readings per device and window may be late for reasons of the machine's own."""


@dataclass(frozen=True)
class Pace:
    """One window of time: how often each device answered, and how many readings were late."""

    seconds: float
    polls: Mapping[str, int]
    late: Mapping[str, int]

    @property
    def per_second(self) -> dict[str, float]:
        return {device: count / self.seconds for device, count in self.polls.items()}


def watch(api: Api, seconds: float) -> Pace:
    """The pace of every device over the next seconds."""
    before = api.polls()
    api.wait(seconds)
    after = api.polls()
    assert api.errors() == 0  # asking this also brings every reading to where it can be asked for
    return Pace(
        (after.at - before.at).total_seconds(),
        {device: after.counts[device] - before.counts[device] for device in FAST},
        {device: _late(api, device, before, after) for device in FAST},
    )


def _late(api: Api, device: str, before: Polls, after: Polls) -> int:
    moments: list[datetime] = api.readings(device, before.at, after.at)
    _, period_s = FAST[device]
    gaps = ((later - earlier).total_seconds() for earlier, later in pairwise(moments))
    return sum(abs(gap - period_s) > LATE_S for gap in gaps)


def disturbed(calm: Pace, now: Pace, devices: set[str]) -> dict[str, str]:
    """Those of the devices that are not read as they were when all was well, and how."""
    found = {}
    for device in sorted(devices):
        expected = calm.per_second[device] * now.seconds
        if abs(now.polls[device] - expected) > SPARE_POLLS:
            found[device] = f"{now.polls[device]} polls instead of {expected:.1f}"
        if now.late[device] > calm.late[device] + SPARE_LATE:
            found[device] = f"{now.late[device]} late readings, {calm.late[device]} before"
    return found
