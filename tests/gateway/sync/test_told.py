from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import cast

import pytest

from flexedge.cloud.pace import Pace
from flexedge.domain.asset import Sensor
from flexedge.gateway.health import Health
from flexedge.gateway.sync.duty import Heard
from flexedge.gateway.sync.lags import Lag
from flexedge.gateway.sync.sync import Contact, Standing, Sync
from flexedge.gateway.sync.told import (
    NOT_LINKED,
    Sums,
    counted,
    in_words,
    is_well,
    span,
    stands_of,
    told,
)
from flexedge.store.state import State
from flexedge.store.tables.centres import Link, Unwanted
from tests.gateway.sync.duties import ALONE, MAIN, NOW, Chore, after

NOTHING = Sums(timedelta(0), 0, 0)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


def standing(contact: Contact, why: str = "") -> Standing:
    return Standing(contact, NOW, why)


@pytest.mark.parametrize(
    ("contact", "sums", "words"),
    [
        ("starting", NOTHING, "not asked yet"),
        ("clock", NOTHING, "waits until the clock of this gateway is known to be right"),
        ("in-touch", NOTHING, "in step"),
        ("in-touch", Sums(timedelta(minutes=9), 12, 1), "in step; 12 values to come; 1 refused"),
        ("in-touch", Sums(timedelta(hours=3), 12345, 0), "3 h behind; 12 345 values to come"),
        ("away", Sums(timedelta(0), 1, 0), "away for 5 min: no answer; 1 value to come"),
        ("locked", NOTHING, "does not accept this gateway for 5 min: no answer"),
    ],
)
def test_one_line_says_it_all(contact: Contact, sums: Sums, words: str) -> None:
    why = "no answer" if contact in ("away", "locked") else ""
    assert in_words(standing(contact, why), sums, after(5)) == words


def test_what_goes_wrong_with_one_duty_is_in_the_line() -> None:
    duties = Heard("upload", NOW, ""), Heard("edits", None, "403: not yours")
    line = in_words(replace(standing("in-touch"), duties=duties), NOTHING, NOW)
    assert line == "in step; edits: 403: not yours"


def test_who_must_do_something_hears_of_it() -> None:
    assert is_well(standing("in-touch"), replace(NOTHING, waiting=9), NOW)
    assert is_well(standing("starting"), NOTHING, NOW)
    assert is_well(standing("away"), NOTHING, after(59))
    assert not is_well(standing("away"), NOTHING, after(60))
    assert not is_well(standing("locked"), NOTHING, NOW)
    assert not is_well(standing("in-touch"), replace(NOTHING, refused=1), NOW)
    troubled = replace(standing("in-touch"), duties=(Heard("edits", None, "no"),))
    assert not is_well(troubled, NOTHING, NOW)


def test_spans_and_numbers_are_for_people() -> None:
    assert [span(timedelta(seconds=s)) for s in (0, 119, 120, 7200, 172800)] == [
        "0 s", "119 s", "2 min", "2 h", "2 d",
    ]  # fmt: skip
    assert [counted(n, "value") for n in (0, 1, 1234567)] == [
        "0 values", "1 value", "1 234 567 values",
    ]  # fmt: skip


def test_without_a_link_that_is_said(state: State) -> None:
    found = told(None, state, NOW)
    assert (found.linked, found.message, found.centres) == (False, NOT_LINKED, ())


def test_a_centre_with_which_nothing_is_done_is_told_of_too(state: State) -> None:
    state.centres.add(MAIN)
    found = told(None, state, NOW)
    assert found.linked
    (one,) = found.centres
    assert (one.name, one.url, one.contact) == ("main", MAIN.url, "starting")
    assert "nothing is done" in one.words
    assert found.message == f"main: {one.words}"


def test_sensors_are_told_by_name_with_what_waits(state: State) -> None:
    number = state.centres.add(MAIN)
    ids = [state.sensor_id(Sensor(name, "kW")) for name in ("solar.power", "battery.power")]
    links = [
        state.links.add(Link(number, "sensor", local, 90 + local, role))
        for local, role in ((ids[0], ""), (ids[1], "forecast"), (ids[1], ""), (777, ""))
    ]
    state.unwanted.add(Unwanted(number, links[0], NOW, 422, "BAD", "no", {}))
    chore = Chore("upload")
    chore.troubles = {links[1]: "it is not there any more"}
    sync = Sync(ALONE, (chore,), cast("Pace", None), Health())
    sync.lags = lambda _now: (
        Lag(links[0], after(10), after(5), 2),
        Lag(links[1], after(10), None, 4),
        Lag(links[2], after(10), after(10)),
        Lag(links[3], after(10), after(10)),  # deleted here
        Lag(999, after(10), after(10)),  # unlinked in this moment
    )
    one = stands_of(state, number, MAIN, sync, NOW)
    assert [(lag.sensor, lag.role, lag.lag_s, lag.waiting) for lag in one.sensors] == [
        ("battery.power", "", 0.0, 0), ("battery.power", "forecast", None, 4),
        ("solar.power", "", 300.0, 2),
    ]  # fmt: skip
    assert one.sensors[1].paused == "it is not there any more"
    assert (one.waiting, one.lag_s, one.refused, one.well) == (6, 300.0, 1, False)


def test_what_is_not_due_yet_makes_no_centre_late(state: State) -> None:
    """Forecasts and schedules go once an hour: that these are 50 minutes behind is no news."""
    number = state.centres.add(MAIN)
    plans, power = (
        state.links.add(
            Link(number, "sensor", state.sensor_id(Sensor("solar.power", "kW")), n, role)
        )
        for n, role in ((1, "schedule"), (2, ""))
    )
    sync = Sync(ALONE, (Chore("upload"),), cast("Pace", None), Health())
    sync.standing = Standing("in-touch", NOW)
    sync.lags = lambda _now: (Lag(plans, after(50), NOW, 9), Lag(power, after(4), NOW, 1))
    one = stands_of(state, number, MAIN, sync, NOW)
    assert one.words.startswith("in step")
    assert one.lag_s == 3000.0
    sync.lags = lambda _now: (Lag(plans, after(70), NOW, 9), Lag(power, after(4), NOW, 1))
    assert stands_of(state, number, MAIN, sync, NOW).words.startswith("70 min behind")
    sync.lags = lambda _now: (Lag(plans, after(50), NOW, 9), Lag(power, after(40), NOW, 1))
    assert stands_of(state, number, MAIN, sync, NOW).words.startswith("40 min behind")


def test_linking_that_was_cut_is_told_with_how_it_goes_on(state: State) -> None:
    cut = replace(MAIN, details={})
    sync = Sync(ALONE, (Chore("upload"),), Pace(120, Random(1)), Health())  # noqa: S311
    sync.standing = standing("in-touch")
    idle, busy = (stands_of(state, 1, cut, one, NOW) for one in (None, sync))
    words = f"linking did not come to its end: flexedge link {MAIN.url} goes on with it"
    assert (idle.words, idle.well) == (words, False)
    assert (busy.words, busy.well) == (f"in step; {words}", False)
    assert stands_of(state, 1, MAIN, sync, NOW).words == "in step"
