"""FlexMeasures' API at its clients' end: the same calls to flexedge and to FlexMeasures in turn.

FLEXMEASURES_SERVER names the script that starts a FlexMeasures server (or FLEXMEASURES_URL and
FLEXMEASURES_TOKEN one that runs); without it, ours are held against what FlexMeasures 1.0.1 took on
such a machine before.
"""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from threading import Event
from time import perf_counter
from typing import Any

from bench.load import rows as under_load
from bench.measure import Bound, Row, goal, in_turn, seconds
from bench.served import START, Server, flexmeasures, served

_QUARTER, _FIVE = timedelta(minutes=15), timedelta(minutes=5)
_DAY = timedelta(days=1)
_YEAR = 365
_STORED, _MANY = 10_000, 96
_DEVICES = 10
_PATIENCE_S, _NEXT_LOOK_S = 300.0, 0.002
_never = Event()
_LESS, _MUCH_LESS = goal(most=1 / 20), goal(most=1 / 50)
_BEFORE = {"one": 2.8, "one again": 5.7, "ten": 6.4, "ten again": 22.8, "10000": 3.4, "year": 1.3}
"""Seconds of FlexMeasures 1.0.1 on a machine as this one; for when it is not there."""


class _Site:
    """The same site on a server: a price, batteries, and sensors of 5 minutes."""

    def __init__(self, server: Server, name: str, days: int) -> None:
        self._server = server
        self.days = days
        site = server.asset(f"{name} site", "building",
                            flex_context='{"site-power-capacity": "200 kVA"}')  # fmt: skip
        self.site = site
        self.price = server.sensor("price", site, "EUR/MWh")
        wave = [60.0 + 40.0 * ((7 * i) % 11) / 11 for i in range(4 * 24 * 4)]
        server.post(self.price, START, _QUARTER, "EUR/MWh", wave)
        self.powers = [
            server.sensor("power", server.asset(f"{name} battery {i}", "battery",
                                                parent_asset_id=site), "kW")
            for i in range(_DEVICES)
        ]  # fmt: skip
        self.meter = server.sensor("meter", site, "kW", "PT5M")
        self._history = server.sensor("history", site, "kW", "PT5M")
        self._turn = itertools.count()
        for first in range(0, days, 30):
            n = 288 * min(30, days - first)
            values = [float((13 * i) % 97) for i in range(n)]
            server.post(self._history, START + first * _DAY, _FIVE, "kW", values)
        self._await(self._history, START + days * _DAY - _FIVE, None)

    def _await(self, sensor: int, moment: Any, value: float | None) -> None:
        """Until a value can be read (None: any)."""
        began = perf_counter()
        while perf_counter() - began < _PATIENCE_S:
            (found,) = self._server.read(sensor, moment, _FIVE, "kW") or [None]
            if found is not None and (value is None or found == value):
                return
            _never.wait(_NEXT_LOOK_S)
        raise RuntimeError(f"{self._server.url} did not store what was posted")

    def plan(self, devices: int, *, again: bool) -> float:
        """Seconds from a trigger to a schedule of 48 hours that can be read."""
        turn = 1 if again else next(self._turn)
        models = [
            {"sensor": power, "soc-at-start": f"{1 + (turn % 40) / 10} kWh", "soc-min": "1 kWh",
             "soc-max": "10 kWh", "power-capacity": "5 kW", "roundtrip-efficiency": "90%"}
            for power in self.powers[:devices]
        ]  # fmt: skip
        body = {
            "start": START.isoformat(), "duration": "PT48H", "flex-model": models,
            "flex-context": {"consumption-price": {"sensor": self.price}},
            "force-new-job-creation": True,
        }  # fmt: skip
        path = f"/assets/{self.site}"
        return seconds(lambda: self._server.scheduled(path, self.powers[0], body))

    def store(self, n: int) -> float:
        """Seconds from posting values to reading the last of them."""
        turn = next(self._turn)
        values = [float(turn + i % 50) + 0.5 for i in range(n)]
        start = START + turn * n * _FIVE  # FlexMeasures loses what is posted twice in a second
        last = start + (n - 1) * _FIVE

        def work() -> None:
            self._server.post(self.meter, start, _FIVE, "kW", values)
            self._await(self.meter, last, values[-1])

        return seconds(work)

    def history(self, days: int) -> float:
        """Seconds to read days of 5 minutes."""

        def work() -> None:
            values = self._server.read(self._history, START, days * _DAY, "kW")
            if len(values) != 288 * days or None in values:
                raise RuntimeError(f"{len(values)} values came")

        return seconds(work)


def rows(*, quick: bool) -> Iterator[Row]:
    """Schedules, values in and out; then many small requests while devices are polled."""
    days = 3 if quick else _YEAR
    rounds = 1 if quick else 5
    peer = flexmeasures()
    if peer is None:
        print("  FlexMeasures is not measured: name its script in FLEXMEASURES_SERVER", flush=True)
    with served() as server:
        name = f"bench {server.token[-6:]}"
        both = _Site(server, name, days), None if peer is None else _Site(peer, name, days)
        yield from _schedules(both, rounds)
        for n in (1, _MANY, 100 if quick else _STORED):
            yield from _row(f"{n:,} values posted, until read back", str(n), rounds, _LESS,
                            partial(_Site.store, n=n), both)  # fmt: skip
        for span, key in ((1, "day"), (days, "year")):
            yield from _row(f"{span} days of 5 minutes read", key, rounds, _LESS,
                            partial(_Site.history, days=span), both)  # fmt: skip
    yield from under_load(quick=quick)


_Both = tuple[_Site, _Site | None]


def _schedules(both: _Both, rounds: int) -> Iterator[Row]:
    for devices, word in ((1, "one"), (_DEVICES, "ten")):
        for again, bound in ((False, _LESS), (True, _MUCH_LESS)):
            key = f"{word} again" if again else word
            what = f"schedule, {word} batter{'y' if devices == 1 else 'ies'}, 48 h"
            what += ", the same again" if again else ", other start"
            yield from _row(
                what, key, rounds, bound,
                partial(_Site.plan, devices=devices, again=again), both,
            )  # fmt: skip


def _row(
    what: str, key: str, rounds: int, bound: Bound, measure: Callable[[_Site], float], both: _Both
) -> Iterator[Row]:  # fmt: skip
    ours, other = both
    if other is not None:
        mine, theirs = in_turn(lambda: measure(ours), lambda: measure(other), rounds)
        yield Row(what, "s", mine, theirs, "FlexMeasures", bound)
        return
    mine = [measure(ours) for _ in range(rounds)]
    if key in _BEFORE:
        yield Row(what, "s", mine, [_BEFORE[key]] * rounds, "FlexMeasures before", bound)
    else:
        yield Row(what, "s", mine, [1.0] * rounds, "a second")
