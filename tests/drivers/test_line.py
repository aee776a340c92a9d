import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from flexedge.domain.asset import Sensor
from flexedge.domain.schedule import Applied, Outcome, Refused, Released, Unreachable
from flexedge.drivers.driver import ControlPoint, Poll, Sample
from flexedge.drivers.line import Line, Release, Write
from flexedge.errors import DeviceError, DeviceRefused, DeviceUnreachable

START = datetime(2026, 11, 22, tzinfo=UTC)
CONTROL = ControlPoint(
    name="a.power",
    kind="setpoint",
    range_kw=None,
    least_kw=0.0,
    refresh=timedelta(seconds=30),
    device_timeout=None,
    readback="a.power",
    readback_tolerance_kw=0.1,
    settle=timedelta(seconds=5),
    writes_per_day=None,
)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass
class Plugin:
    """A driver written by somebody else; ``trouble`` is raised by whatever is called."""

    every: float = 1.0
    trouble: Exception | None = None
    write_trouble: Exception | None = None
    shown: float | None = None
    calls: list[tuple[str, object]] = field(default_factory=list)
    closed: bool = False

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        return {"a.power": Sensor("a.power", "kW")}

    @property
    def controls(self) -> Mapping[str, ControlPoint]:
        return {"a.power": CONTROL}

    @property
    def polls(self) -> Sequence[Poll]:
        return [Poll(("a.power",), timedelta(seconds=self.every))]

    def _call(self, what: str, detail: object, trouble: Exception | None = None) -> None:
        self.calls.append((what, detail))
        if self.trouble or trouble:
            raise self.trouble or trouble or AssertionError

    def read(self, poll: Poll, now: datetime) -> Sequence[Sample]:
        self._call("read", now)
        return [Sample(point, 1.0) for point in poll.points]

    def write(self, control: str, power_kw: float) -> None:
        assert control == "a.power"
        self._call("write", power_kw, self.write_trouble)

    def shown_kw(self, control: str) -> float | None:
        assert control == "a.power"
        return self.shown

    def release(self, control: str) -> None:
        self._call("release", control, self.write_trouble)

    def close(self) -> None:
        self.closed = True

    def count(self, what: str) -> int:
        return sum(call[0] == what for call in self.calls)


@dataclass
class Notes:
    """A report that writes everything down."""

    reads: list[tuple[str, float, Mapping[str, float]]] = field(default_factory=list)
    failures: list[tuple[str, DeviceError]] = field(default_factory=list)
    outcomes: list[tuple[str, Outcome]] = field(default_factory=list)

    def read(
        self, device: str, samples: Sequence[Sample], shown: Mapping[str, float], now: datetime
    ) -> None:
        assert samples
        self.reads.append((device, (now - START).total_seconds(), shown))

    def failed(self, device: str, error: DeviceError, now: datetime) -> None:
        assert now >= START
        self.failures.append((device, error))

    def wrote(self, device: str, control: str, outcome: Outcome, now: datetime) -> None:
        assert control == "a.power"
        assert now >= START
        self.outcomes.append((device, outcome))

    def times(self, device: str) -> list[float]:
        return [when for name, when, _ in self.reads if name == device]


@dataclass
class Bench:
    """A line with two devices, and a loop that needs no time."""

    notes: Notes = field(default_factory=Notes)
    a: Plugin = field(default_factory=Plugin)
    b: Plugin = field(default_factory=Plugin)
    woken: int = 0
    gap: float = 0.0

    def __post_init__(self) -> None:
        self.line = Line(
            "test", {"a": self.a, "b": self.b}, self.notes, self._wake,
            timedelta(seconds=self.gap),
        )  # fmt: skip

    def _wake(self) -> None:
        self.woken += 1

    def run(
        self, since: float, until: float, each: Callable[[float], float] = lambda _now: 0.0
    ) -> None:
        """Step as a loop would; ``each`` tells how long the operation at a moment takes."""
        now, end = at(since), at(until)
        while now < end:
            calls = len(self.a.calls) + len(self.b.calls)
            following = self.line.step(now)
            assert following is not None
            assert following >= now
            if len(self.a.calls) + len(self.b.calls) > calls:
                now = max(following, now + timedelta(seconds=each((now - START).total_seconds())))
            else:
                assert following > now, "a step without work must not be repeated at once"
                now = following


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_request_handed_in_while_the_loop_waits_wakes_it_and_is_not_lost() -> None:
    bell = threading.Event()
    plugin = Plugin(every=3600)
    line = Line("test", {"a": plugin}, Notes(), bell.set)
    while line.step(START) == START:
        pass
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bell.wait, 5)
        line.submit(Write("a", "a.power", 1.5))
        assert waiting.result()
    line.step(START)
    assert plugin.calls[-1] == ("write", 1.5)


def test_one_step_is_one_operation(bench: Bench) -> None:
    assert bench.line.step(at(0)) == at(0)
    assert len(bench.a.calls) + len(bench.b.calls) == 1
    assert bench.line.step(at(0)) == at(0)
    assert len(bench.a.calls) + len(bench.b.calls) == 2
    assert bench.line.step(at(0)) == at(1)


def test_both_devices_keep_their_pace(bench: Bench) -> None:
    bench.run(0, 5)
    assert bench.notes.times("a") == bench.notes.times("b") == [0, 1, 2, 3, 4]


def test_requests_go_before_polls_and_the_newest_replaces_older_ones(bench: Bench) -> None:
    for power_kw in (1.0, 2.0, 3.0):
        bench.line.submit(Write("b", "a.power", power_kw))
    assert bench.woken == 3
    bench.line.step(at(0))
    assert bench.b.calls == [("write", 3.0)]
    assert bench.notes.outcomes == [("b", Applied(3.0))]
    bench.run(0, 1)
    assert bench.b.count("write") == 1


def test_a_release_replaces_a_write(bench: Bench) -> None:
    bench.line.submit(Write("a", "a.power", 1.0))
    bench.line.submit(Release("a", "a.power", "the plan is stale"))
    bench.run(0, 1)
    assert [call for call in bench.a.calls if call[0] != "read"] == [("release", "a.power")]
    assert bench.notes.outcomes == [("a", Released("the plan is stale"))]


def test_what_a_read_shows_is_told_with_it(bench: Bench) -> None:
    bench.a.shown = 1.25
    bench.run(0, 0.5)
    assert bench.notes.reads == [("a", 0.0, {"a.power": 1.25}), ("b", 0.0, {})]


def test_a_refusal_is_an_outcome_and_no_failure(bench: Bench) -> None:
    bench.a.write_trouble = DeviceRefused("a", "is locked")
    for _ in range(5):
        bench.line.submit(Write("a", "a.power", 1.0))
        bench.line.step(at(0))
    assert bench.notes.outcomes == [("a", Refused("is locked"))] * 5
    bench.run(0, 3)
    assert bench.notes.times("a") == [0, 1, 2]


def test_a_dead_device_is_probed_and_its_writes_answered_at_once(bench: Bench) -> None:
    bench.a.trouble = DeviceUnreachable("a", "no answer")
    bench.run(0, 3)
    assert bench.a.count("read") == 3
    bench.line.submit(Write("a", "a.power", 1.0))
    bench.line.step(at(3))
    assert bench.a.count("write") == 0
    assert bench.notes.outcomes == [("a", Unreachable("a: no answer"))]
    bench.run(3, 100)
    moments = [round((when - START).total_seconds()) for _, when in bench.a.calls]  # type: ignore[operator] # reads only
    assert moments == [0, 1, 2, 4, 8, 14, 22, 32, 44, 58, 74, 92]


def test_the_first_answer_revives_it(bench: Bench) -> None:
    bench.a.trouble = DeviceUnreachable("a", "no answer")
    bench.run(0, 3)
    bench.a.trouble = None
    bench.run(3, 7)
    assert bench.notes.times("a") == [4, 5, 6]
    bench.line.submit(Write("a", "a.power", 1.0))
    bench.run(7, 8)
    assert bench.notes.outcomes == [("a", Applied(1.0))]


def test_a_device_that_never_answers_does_not_slow_the_others_once_it_is_dead(
    bench: Bench,
) -> None:
    bench.a.trouble = DeviceUnreachable("a", "no answer")
    slow: list[int] = []

    def takes(_now: float) -> float:
        dead = len(bench.notes.failures) > len(slow)
        slow.extend([1] * dead)
        return 3.0 if dead else 0.01

    bench.run(0, 600, takes)
    assert bench.a.count("read") < 30
    assert len(bench.notes.times("b")) > 0.85 * 600
    assert len(set(bench.notes.times("b"))) == len(bench.notes.times("b")), "no bursts"


def test_a_release_of_a_dead_device_is_tried_with_each_probe_until_it_works(bench: Bench) -> None:
    bench.a.trouble = DeviceUnreachable("a", "no answer")
    bench.run(0, 3)
    bench.line.submit(Release("a", "a.power", "shutting down"))
    bench.run(3, 15)
    assert bench.a.count("release") >= 2
    assert set(bench.notes.outcomes) == {("a", Unreachable("no answer"))}
    bench.a.trouble = None
    bench.run(15, 60)
    assert bench.notes.outcomes[-1] == ("a", Released("shutting down"))
    assert [outcome for _, outcome in bench.notes.outcomes].count(Released("shutting down")) == 1


def test_a_write_takes_the_place_of_a_release_that_was_not_done(bench: Bench) -> None:
    bench.a.write_trouble = DeviceUnreachable("a", "no answer")
    bench.line.submit(Release("a", "a.power", "stale"))
    bench.run(0, 1)
    bench.a.write_trouble = None
    bench.line.submit(Write("a", "a.power", 2.0))
    bench.run(1, 20)
    assert bench.notes.outcomes[-1] == ("a", Applied(2.0))
    assert bench.a.count("release") == 1


def test_a_release_that_never_works_leaves_time_for_polls(bench: Bench) -> None:
    bench.a.write_trouble = DeviceUnreachable("a", "garbled")
    bench.line.submit(Release("a", "a.power", "stale"))
    bench.run(0, 100)
    assert 20 < bench.a.count("release") < 60
    assert len(bench.notes.times("a")) > 90
    assert len(bench.notes.times("b")) == 100


def test_a_release_the_device_refuses_is_not_repeated(bench: Bench) -> None:
    bench.a.write_trouble = DeviceRefused("a", "no")
    bench.line.submit(Release("a", "a.power", "stale"))
    bench.run(0, 30)
    assert bench.a.count("release") == 1


def test_a_bug_in_a_plug_in_is_its_own_failure(bench: Bench) -> None:
    bench.a.trouble = ZeroDivisionError("division by zero")
    bench.line.submit(Write("a", "a.power", 1.0))
    bench.run(0, 3)
    text = "its driver failed: ZeroDivisionError: division by zero"
    assert bench.notes.outcomes == [("a", Unreachable(text))]
    assert bench.notes.failures[0][1].message == text
    assert bench.notes.times("b") == [0, 1, 2]


def test_the_gap_is_kept_after_each_operation() -> None:
    bench = Bench(gap=0.25)
    assert bench.line.step(at(0)) == at(0)
    assert bench.line.step(at(0.1)) == at(0.35), "the operation took until 0.1 s"
    assert bench.line.step(at(0.2)) == at(0.35)
    assert bench.line.step(at(0.35)) == at(0.35)
    assert len(bench.a.calls) + len(bench.b.calls) == 2


def test_a_clock_put_back_does_not_stop_the_line() -> None:
    bench = Bench(gap=0.25)
    bench.run(100, 102)
    before = len(bench.a.calls)
    bench.run(10, 14)
    assert len(bench.a.calls) - before >= 4


def test_nonsense_is_refused_where_it_is_handed_in(bench: Bench) -> None:
    with pytest.raises(ValueError, match="nan is not a power"):
        Write("a", "a.power", float("nan"))
    with pytest.raises(KeyError, match="c"):
        bench.line.submit(Write("c", "a.power", 1.0))
    with pytest.raises(KeyError, match=r"a\.soc"):
        bench.line.submit(Release("a", "a.soc", "stale"))


def test_closing_closes_the_drivers(bench: Bench) -> None:
    bench.line.close()
    assert bench.a.closed
    assert bench.b.closed


def test_beginning_anew_with_a_device_asks_it_at_once_on_a_new_connection() -> None:
    bench = Bench()
    bench.a.trouble = DeviceUnreachable("a", "gone")
    bench.run(0, 60)
    tries = bench.a.count("read")
    bench.a.trouble = None
    bench.a.closed = bench.b.closed = False
    others = bench.b.count("read")
    woken = bench.woken
    bench.line.restart("a")
    assert bench.woken == woken + 1
    bench.line.step(at(60.001))
    bench.line.step(at(60.002))
    assert bench.a.count("read") == tries + 1
    assert (bench.a.closed, bench.b.closed) == (True, False)
    assert bench.b.count("read") <= others + 1
    with pytest.raises(KeyError):
        bench.line.restart("c")
