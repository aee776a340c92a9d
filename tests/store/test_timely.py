"""What is asked of beliefs, held against timely-beliefs, which FlexMeasures asks.

Point it at another archive by adding to ``ARCHIVES`` what makes one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
import timely_beliefs as tb
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from timely_beliefs.beliefs.probabilistic_utils import get_median_belief
from timely_beliefs.sensors.func_store.knowledge_horizons import x_days_ago_at_y_oclock

from flexedge.domain.asset import Knowable
from flexedge.store.archive import Asked
from flexedge.store.horizon import known_us
from flexedge.store.resample import resampled
from flexedge.store.rows import Beliefs, micros, moment
from flexedge.store.single import medians
from tests.store.inmemory import Answers, InMemory
from tests.store.whole import Whole

ARCHIVES: list[Callable[[], Answers]] = [Whole]
MINUTE = timedelta(minutes=1)
HOUR = 60 * MINUTE
STARTS = tuple(datetime(2026, *day, 20, tzinfo=UTC) for day in ((3, 28), (7, 1), (10, 24)))
OFFSETS = st.sampled_from([-3000, -1500, -61, -60, -15, -1, 0, 1, 15, 60, 600])  # minutes
Row = tuple[int, int, int, float, float]
"""Event, belief time, source, probability, value."""


@dataclass(frozen=True)
class Rule:
    """A sensor of ours and of theirs."""

    resolution: timedelta
    knowable: Knowable
    theirs: Any = None

    def __str__(self) -> str:
        return f"{self.resolution} {self.knowable}"

    @property
    def spacing(self) -> timedelta:
        return self.resolution or 7 * MINUTE

    def sensor(self) -> Any:
        return tb.Sensor("s", event_resolution=self.resolution, knowledge_horizon=self.theirs)


def ex_post(minutes: int) -> Rule:
    return Rule(minutes * MINUTE, Knowable(minutes * MINUTE))


def economic(minutes: int, days: int, hour: float, zone: str) -> Rule:
    theirs = (x_days_ago_at_y_oclock, {"x": days, "y": hour, "z": zone})
    return Rule(minutes * MINUTE, Knowable(days_before=days, hour=hour, zone=zone), theirs)


RULES = [
    ex_post(0), ex_post(5), ex_post(15), ex_post(60),
    Rule(15 * MINUTE, Knowable(-HOUR), HOUR),
    economic(60, 1, 12, "Europe/Amsterdam"),
    economic(15, 1, 13.5, "Europe/London"),
    economic(60, 0, 0, "America/New_York"),
    economic(60, 2, 23, "Australia/Lord_Howe"),
]  # fmt: skip


@st.composite
def histories(draw: st.DrawFn, rule: Rule, sources: int = 2, sharp: bool = False) -> Beliefs:  # noqa: FBT001, FBT002
    """Beliefs of sensor 1 in the order of chance, its first event on an hour."""
    start = draw(st.sampled_from(STARTS))
    places = st.tuples(st.integers(1, sources), st.integers(0, 9), OFFSETS)
    told = draw(st.lists(places, min_size=1, max_size=14, unique=True))
    cells: list[tuple[int, int, int, float, float]] = []
    for source, event, offset in told:
        event_us = micros(start + event * rule.spacing)
        known = int(known_us(rule.knowable, np.array([event_us]))[0])
        spread = sharp or draw(st.booleans())
        for probability in (0.5,) if spread else (0.1, 0.5, 0.9):
            value = float(draw(st.integers(-9, 9)))
            cells.append((source, event_us, known + offset * 60_000_000, probability, value))
    columns = zip(*cells, strict=True)
    names = ("source", "event_us", "belief_us", "probability", "value")
    return Beliefs.of({"sensor": [1] * len(cells), **dict(zip(names, columns, strict=True))})


def frame(rule: Rule, rows: Beliefs) -> Any:
    sources = {number: tb.BeliefSource(str(number)) for number in range(1, 10)}
    table = {
        "event_start": pd.to_datetime(rows.event_us, unit="us", utc=True).as_unit("ns"),
        "belief_time": pd.to_datetime(rows.belief_us, unit="us", utc=True).as_unit("ns"),
        "source": [sources[number] for number in rows.source.tolist()],
        "cumulative_probability": rows.probability,
        "event_value": rows.value,
    }
    return tb.BeliefsDataFrame(pd.DataFrame(table), sensor=rule.sensor()).sort_index()


def theirs(found: Any) -> list[Row]:
    if "belief_horizon" in found.index.names:
        found = found.convert_index_from_belief_horizon_to_time()
    table = found.reset_index()
    return sorted(
        zip(
            table["event_start"].astype("int64") // 1000,
            table["belief_time"].astype("int64") // 1000,
            (int(source.name) for source in table["source"]),
            table["cumulative_probability"].round(9),
            table["event_value"].astype(float),
            strict=True,
        )
    )


def ours(rows: Beliefs) -> list[Row]:
    columns = (rows.event_us, rows.belief_us, rows.source, rows.probability, rows.value)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def near(found: list[Row], expected: list[Row]) -> None:
    assert [row[:4] for row in found] == [row[:4] for row in expected]
    assert [row[4] for row in found] == pytest.approx([row[4] for row in expected])


quick = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # to shrink takes minutes
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
of_every_archive = pytest.mark.parametrize("archive", ARCHIVES)
of_every_rule = pytest.mark.parametrize("rule", RULES, ids=str)


def answers(
    archive: Callable[[], Answers], rule: Rule, rows: Beliefs
) -> Callable[[Asked], list[Row]]:
    """Ask an archive that holds another sensor's beliefs, too."""
    kept = archive()
    other = Beliefs.of({**rows.columns(), "sensor": rows.sensor + 1, "value": rows.value + 100})
    half = len(rows) // 2
    for part in (rows.take(np.arange(half)), other, rows.take(np.arange(half, len(rows)))):
        kept.keep(part)
    return lambda asked: ours(kept.beliefs(asked, {1: rule.knowable}))


@of_every_archive
@of_every_rule
@quick
@given(data=st.data())
def test_as_of_a_time_and_of_a_window(
    archive: Callable[[], Answers], rule: Rule, data: st.DataObject
) -> None:
    rows = data.draw(histories(rule))
    ask, df = answers(archive, rule, rows), frame(rule, rows)
    times = st.sampled_from(sorted({moment(us) for us in rows.belief_us.tolist()}))
    one, two = sorted((data.draw(times), data.draw(times) + data.draw(OFFSETS) * MINUTE))
    asked = Asked((1,))
    assert ask(asked) == theirs(df.fixed_viewpoint(datetime(2030, 1, 1, tzinfo=UTC)))
    assert ask(replace(asked, believed_until=one)) == theirs(df.fixed_viewpoint(one))
    both = replace(asked, believed_from=one, believed_until=two)
    assert ask(both) == theirs(df.fixed_viewpoint(belief_time_window=(one, two)))
    assert ask(replace(asked, most_recent=False)) == theirs(df)
    second = df[df.index.get_level_values("source").map(lambda source: source.name == "2")]
    assert ask(replace(both, sources=(2, 7))) == theirs(
        second.fixed_viewpoint(belief_time_window=(one, two))
    )


@of_every_archive
@of_every_rule
@quick
@given(data=st.data())
def test_of_a_horizon_and_the_history_of_an_event(
    archive: Callable[[], Answers], rule: Rule, data: st.DataObject
) -> None:
    rows = data.draw(histories(rule))
    ask, df = answers(archive, rule, rows), frame(rule, rows)
    least, most = sorted(data.draw(OFFSETS) * MINUTE for _ in range(2))
    asked = Asked((1,))
    assert ask(replace(asked, horizon_from=least)) == theirs(df.rolling_viewpoint(least))
    window = replace(asked, horizon_from=least, horizon_until=most)
    assert ask(window) == theirs(df.rolling_viewpoint(belief_horizon_window=(least, most)))
    event = data.draw(st.sampled_from([moment(us) for us in rows.event_us.tolist()]))
    history = replace(asked, start=event, end=event + rule.spacing, most_recent=False)
    assert ask(history) == theirs(df.belief_history(event, keep_event_start=True))
    until = moment(int(rows.belief_us[0]))
    assert ask(replace(history, believed_until=until)) == theirs(
        df.belief_history(event, belief_time_window=(None, until), keep_event_start=True)
    )
    assert ask(replace(history, horizon_from=least, horizon_until=most)) == theirs(
        df.belief_history(event, belief_horizon_window=(least, most), keep_event_start=True)
    )


@quick
@given(data=st.data())
def test_the_median(data: st.DataObject) -> None:
    rows = data.draw(histories(RULES[1]))
    kept = InMemory()
    kept.keep(rows)
    rows = kept.beliefs(Asked((1,), most_recent=False), {})
    assert ours(medians(rows)) == theirs(frame(RULES[1], rows).for_each_belief(get_median_belief))


@pytest.mark.parametrize("wanted", [15, 30, 60, 120])
@quick
@given(data=st.data())
def test_the_most_recent_beliefs_resampled(wanted: int, data: st.DataObject) -> None:
    rule = RULES[2 if wanted < 60 else 1]
    rows = data.draw(histories(rule, sources=1, sharp=True))
    df = frame(rule, rows).fixed_viewpoint(datetime(2030, 1, 1, tzinfo=UTC))
    kept = InMemory()
    kept.keep(rows)
    recent = kept.beliefs(Asked((1,)), {})
    first = int(recent.event_us[0])
    again = df.resample_events(wanted * MINUTE, keep_only_most_recent_belief=True)
    found = resampled(recent, rule.resolution, wanted * MINUTE, origin_us=first)
    newest = found.take(np.append(found.event_us[1:] != found.event_us[:-1], True))
    near(ours(newest), theirs(again.dropna()))


@pytest.mark.parametrize("wanted", [30, 60])
@quick
@given(data=st.data())
def test_a_history_resampled(wanted: int, data: st.DataObject) -> None:
    rule = RULES[2]
    rows = data.draw(histories(rule, sources=1, sharp=True))
    df = frame(rule, rows)
    assume(df.lineage.number_of_belief_times > 1)  # else they count from the first event on
    kept = InMemory()
    kept.keep(rows)
    step = wanted * 60_000_000
    whole = resampled(
        kept.beliefs(Asked((1,), most_recent=False), {}), rule.resolution, wanted * MINUTE
    )
    found = {(row[0], row[1]): row[4] for row in ours(whole)}
    told = theirs(df.resample_events(wanted * MINUTE))
    expected = {(row[0] // step * step, row[1]): row[4] for row in told}
    assert found.keys() <= expected.keys()
    for (event, believed), value in expected.items():  # they repeat what did not change
        last = max(at for of, at in found if of == event and at <= believed)
        assert value == pytest.approx(found[event, last])


@quick
@given(data=st.data())
def test_shorter_events_resampled(data: st.DataObject) -> None:
    for rule, wanted in ((RULES[2], 5), (RULES[3], 15)):
        kept = InMemory()
        kept.keep(data.draw(histories(rule, sources=1, sharp=True)))
        recent = kept.beliefs(Asked((1,)), {})
        again = frame(rule, recent).resample_events(wanted * MINUTE)
        near(ours(resampled(recent, rule.resolution, wanted * MINUTE)), theirs(again))


@quick
@given(data=st.data())
def test_energy_shared_by_shorter_events(data: st.DataObject) -> None:
    rule = RULES[2]
    kept = InMemory()
    kept.keep(data.draw(histories(rule, sources=1, sharp=True)))
    recent = kept.beliefs(Asked((1,)), {})
    again = frame(rule, recent).resample_events(5 * MINUTE, method="sum")
    near(ours(resampled(recent, rule.resolution, 5 * MINUTE, "sum")), theirs(again))


def quarters(*cells: tuple[int, int, int, float, float]) -> Beliefs:
    """Quarters of an hour, minutes of the belief, source, probability, value."""
    start = micros(STARTS[1])
    event, believed, source, probability, value = zip(*cells, strict=True)
    return Beliefs.of({
        "sensor": [1] * len(cells), "source": source,
        "event_us": start + np.array(event) * 900_000_000,
        "belief_us": start + np.array(believed) * 60_000_000,
        "probability": probability, "value": value,
    })  # fmt: skip


def minutes(rows: list[Row]) -> list[Row]:
    start = micros(STARTS[1])
    return [
        ((e - start) // 60_000_000, (b - start) // 60_000_000, s, p, v) for e, b, s, p, v in rows
    ]


def hourly(rows: Beliefs, **how: Any) -> tuple[list[Row], list[Row]]:
    """Ours and theirs."""
    rule = RULES[2]
    found = resampled(rows, rule.resolution, HOUR)
    return minutes(ours(found)), minutes(theirs(frame(rule, rows).resample_events(HOUR, **how)))


def test_where_an_hour_begins_does_not_depend_on_what_is_missing() -> None:
    one, other = hourly(quarters((1, -60, 1, 0.5, 1.0), (4, -60, 1, 0.5, 5.0)))
    assert one == [(0, -60, 1, 0.5, 1.0), (60, -60, 1, 0.5, 5.0)]
    assert other == [(15, -60, 1, 0.5, 3.0)]  # of 20:15 to 21:15, as that is the first event


def test_instants_are_picked_where_they_are() -> None:
    def halves(*cells: tuple[int, int, int, float, float]) -> tuple[list[Row], list[Row]]:
        rows = quarters(*cells)
        other = frame(RULES[0], rows).resample_events(30 * MINUTE)
        return minutes(ours(resampled(rows, timedelta(0), 30 * MINUTE))), minutes(theirs(other))

    one, other = halves(*((i, 0, 1, 0.5, float(i)) for i in (0, 1, 3, 4)))
    assert one == other == [(0, 0, 1, 0.5, 0.0), (60, 0, 1, 0.5, 4.0)]
    one, other = halves(*((i, 0, 1, 0.5, float(i)) for i in (1, 3, 5)))
    assert one == []
    assert other == [(0, 0, 1, 0.5, 1.0), (30, 0, 1, 0.5, 3.0), (60, 0, 1, 0.5, 5.0)]  # moved


def test_a_source_does_not_speak_when_another_does() -> None:
    rows = quarters((0, -60, 1, 0.5, 1.0), (1, -60, 2, 0.5, 5.0), (2, -30, 2, 0.5, 7.0))
    one, other = hourly(rows)
    assert one == [(0, -60, 1, 0.5, 1.0), (0, -60, 2, 0.5, 5.0), (0, -30, 2, 0.5, 6.0)]
    assert (0, -30, 1, 1.0, 1.0) in other  # and a certainty that nobody expressed


def test_a_probability_is_kept_where_events_are_resampled() -> None:
    spread = [(quarter, -60, 1, p, v) for quarter in (0, 1) for p, v in ((0.1, 1.0), (0.9, 5.0))]
    one, other = hourly(quarters(*spread))
    assert one == [(0, -60, 1, 0.1, 1.0), (0, -60, 1, 0.9, 5.0)]
    assert len(other) == 1  # made one value
    with pytest.raises(ValueError, match="duplicate"):
        frame(RULES[2], quarters(*spread[:2])).resample_events(5 * MINUTE)


def test_a_sum_is_of_all_parts_or_none() -> None:
    rows = quarters((0, -60, 1, 0.5, 6.0), (1, -60, 1, 0.5, 6.0))
    rule = RULES[2]
    assert len(resampled(rows, rule.resolution, HOUR, "sum")) == 0
    other = theirs(frame(rule, rows).resample_events(HOUR, method="sum"))
    assert [row[4] for row in other] == [12.0]  # as if half an hour without a value were 0


@pytest.mark.parametrize(("month", "day"), [(3, 30), (10, 26)])
def test_an_hour_that_is_skipped_or_comes_twice_can_be_asked_about(month: int, day: int) -> None:
    rule = economic(60, 1, 2.5, "Europe/Amsterdam")
    event = micros(datetime(2026, month, day, 12, tzinfo=UTC))
    known = int(known_us(rule.knowable, np.array([event]))[0])
    rows = Beliefs.of({"sensor": [1], "source": [1], "event_us": [event], "belief_us": [known],
                       "probability": [0.5], "value": [1.0]})  # fmt: skip
    ask = answers(InMemory, rule, rows)
    exact = Asked((1,), horizon_from=timedelta(0), horizon_until=timedelta(0))
    assert len(ask(exact)) == 1
    one = tb.TimedBelief(rule.sensor(), tb.BeliefSource("1"), 1.0, event_start=moment(event),
                         belief_time=moment(known))  # fmt: skip
    assert one.belief_horizon == timedelta(0)  # of a single belief they say the same,
    with pytest.raises(Exception, match=r"2026-.*02:30:00"):  # of a table they give up
        frame(rule, rows).rolling_viewpoint(timedelta(0))
