from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from flexedge.cloud.pace import FIRST, Pace
from flexedge.errors import CentreAway, CentreLocked, CentreRefused, RequestError, StoreClosed
from flexedge.gateway.health import Health
from flexedge.gateway.sync.duty import Duty, Linked
from flexedge.gateway.sync.sync import AWAY_FOR_LONG, LOG_IN_AGAIN, Sync
from tests.cloud.faulty import Faulty, answer, says
from tests.cloud.parts import PASSWORD, Held, central
from tests.gateway.sync.duties import ALONE, MINUTE, NOW, SECOND, Chore, Visit, after

HOUR = timedelta(hours=1)


def gone(kind: str = "timeout", retry_after: timedelta | None = None) -> CentreAway:
    return CentreAway("main", kind, "no answer within 30 s", retry_after)  # type: ignore[arg-type]


class Bench:
    """A sync and its time: steps are made when they are due."""

    def __init__(self) -> None:
        self.health = Health()
        self.pace = Pace(120, Random(1))  # noqa: S311 (chance, no secret)
        self.now = NOW

    def of(self, *duties: Duty) -> Sync:
        return Sync(ALONE, duties, self.pace, self.health)

    def run(self, sync: Sync, until: datetime) -> list[datetime]:
        """Step whenever it is due; the moments of the steps."""
        steps = []
        while self.now < until:
            steps.append(self.now)
            due = sync.step(self.now)
            assert due >= self.now
            self.now = due
            assert len(steps) < 10_000
        return steps

    def visit(self, name: str, every: timedelta = MINUTE) -> Visit:
        return Visit(name, self.pace, every)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_it_comes_first_when_chance_says_and_then_as_duties_are_due(bench: Bench) -> None:
    often, seldom = bench.visit("often"), bench.visit("seldom", 3 * MINUTE)
    sync = bench.of(often, seldom)
    due = sync.step(NOW)
    assert NOW < due <= NOW + FIRST
    assert sync.standing.contact == "starting"
    bench.run(sync, after(10))
    assert often.tried[0] == seldom.tried[0] == due
    assert len(often.tried) == 10
    assert seldom.tried == often.tried[::3]
    assert (sync.standing.contact, sync.standing.since) == ("in-touch", due)
    assert sync.standing.requests == len(often.tried) + len(seldom.tried)
    assert [one.duty for one in sync.standing.duties] == ["often", "seldom"]


def test_nothing_is_done_before_the_clock_is_right(bench: Bench) -> None:
    bench.health.time_known = False
    chore = Chore("upload")
    sync = bench.of(chore)
    sync.ask()
    bench.run(sync, after(30))
    assert chore.tried == []
    assert (sync.standing.contact, sync.standing.since) == ("clock", NOW)
    bench.health.time_known = True
    bench.run(sync, after(32))
    assert chore.done
    bench.health.time_known = False
    sync.step(bench.now)
    assert len(chore.done) == 2


def test_one_that_always_has_more_to_do_leaves_room_for_others(bench: Bench) -> None:
    greedy, other = Chore("greedy", timedelta(0)), Chore("other")
    sync = bench.of(greedy, other)
    sync.ask()
    for second in range(120):
        sync.step(NOW + second * SECOND)
    assert len(other.done) == 2
    assert len(greedy.done) == 118


def test_turns_are_taken_in_turn_while_time_stands_still(bench: Bench) -> None:
    duties = [Chore(name, timedelta(0)) for name in ("a", "b", "c")]
    sync = bench.of(*duties)
    sync.ask()
    for _ in range(30):
        sync.step(NOW)
    assert [len(one.done) for one in duties] == [10, 10, 10]


def test_while_it_is_away_all_wait_and_then_one_tries(bench: Bench) -> None:
    first, second = bench.visit("first"), bench.visit("second")
    sync = bench.of(first, second)
    sync.ask()
    bench.run(sync, after(5))
    first.faults = second.faults = [gone() for _ in range(12)]
    before = len(first.tried) + len(second.tried)
    bench.run(sync, after(300))
    tries = sorted([*first.tried, *second.tried])[before:]
    away, back = tries[:12], tries[12]
    assert sum(one < back for one in tries) == 12  # each try is one request, of one duty
    assert back - away[-1] > away[1] - away[0]  # later and later
    assert {one in first.tried for one in away[:4]} == {True, False}  # and not always the same one
    assert sync.standing.contact == "in-touch"
    assert bench.health.alarms == {}


def test_that_it_is_away_is_told_and_after_a_while_an_alarm(bench: Bench) -> None:
    visit = bench.visit("upload")
    visit.faults = [gone() for _ in range(100)]
    sync = bench.of(visit)
    sync.ask()
    bench.run(sync, NOW + AWAY_FOR_LONG / 2)
    standing = sync.standing
    assert (standing.contact, standing.since) == ("away", NOW)
    assert "no answer" in standing.why
    assert bench.health.alarms == {}
    bench.run(sync, NOW + AWAY_FOR_LONG + HOUR)
    assert "main is away: no answer" in bench.health.alarms["centre main"]
    visit.faults = []
    bench.run(sync, bench.now + HOUR)
    assert sync.standing.contact == "in-touch"
    assert bench.health.alarms == {}


def test_a_server_says_itself_when_it_wants_to_hear_of_us_again(bench: Bench) -> None:
    visit = bench.visit("upload")
    sync = bench.of(visit)
    sync.ask()
    visit.faults = [gone("busy", 10 * MINUTE)]
    bench.run(sync, after(30))
    assert after(10) <= visit.tried[1] <= after(11)


def test_asking_skips_what_was_waited_for(bench: Bench) -> None:
    visit = bench.visit("upload", HOUR)
    sync = bench.of(visit)
    sync.step(NOW)
    sync.ask()
    sync.step(NOW + SECOND)
    assert visit.tried == [NOW + SECOND]
    visit.faults = [gone() for _ in range(8)]
    bench.now = NOW + HOUR + SECOND
    bench.run(sync, bench.now + 20 * SECOND)
    sync.ask()
    before = len(visit.tried)
    sync.step(bench.now)
    assert len(visit.tried) == before + 1


def test_what_fails_for_a_reason_of_its_own_stops_nobody_else(bench: Bench) -> None:
    bad, good = bench.visit("edits"), bench.visit("upload")
    bad.faults = [CentreRefused("main", 403, "INVALID_SENDER", "not yours") for _ in range(99)]
    sync = bench.of(bad, good)
    sync.ask()
    bench.run(sync, after(10))
    assert len(good.tried) == 10
    assert 5 <= len(bad.tried) < 12
    assert sync.standing.contact == "in-touch"
    assert "not yours" in bench.health.alarms["centre main: edits"]


def test_a_duty_that_asks_nothing_says_nothing_of_the_centre(bench: Bench) -> None:
    chore, visit = Chore("idle"), bench.visit("upload")
    visit.faults = [gone() for _ in range(99)]
    sync = bench.of(visit, chore)
    sync.ask()
    bench.run(sync, after(5))
    assert chore.done
    assert sync.standing.contact == "away"
    assert sync.standing.last_contact is None


def test_our_own_pace_does_not_make_it_away(bench: Bench) -> None:
    bench.pace = Pace(4, Random(1))  # noqa: S311 (chance, no secret)
    visit = bench.visit("upload", timedelta(0))
    sync = bench.of(visit)
    sync.ask()
    bench.run(sync, after(5))
    assert sync.standing.contact == "in-touch"
    assert 15 <= bench.pace.requests <= 20


def test_one_that_our_own_pace_slows_down_is_good_all_along(bench: Bench) -> None:
    """As while much is sent that waited: no step of it ever comes to its end."""
    visit = bench.visit("upload")
    visit.requests = 1000
    sync = bench.of(visit)
    bench.run(sync, after(10))
    (heard,) = sync.standing.duties
    assert heard.last_good is not None
    assert heard.last_good > after(10) - 2 * SECOND
    assert sync.standing.requests > 900


def test_the_end_of_the_program_ends_it(bench: Bench) -> None:
    chore = Chore("upload")
    chore.fault = StoreClosed("closed")
    sync = bench.of(chore)
    sync.ask()
    with pytest.raises(StoreClosed):
        sync.step(NOW)


def test_a_centre_without_duties_is_left_alone(bench: Bench) -> None:
    none: Sequence[Duty] = ()
    sync = bench.of(*none)
    sync.ask()
    assert sync.step(NOW) > NOW


def test_one_that_lets_us_in_again_knows_us_whatever_it_does_not_let_us_see(bench: Bench) -> None:
    chore = Chore("upload")
    chore.fault = CentreLocked("main", "401")
    let_in = says(answer(200, {"auth_token": "second"}))
    forbidden = says(answer(403, {"message": "You cannot be authorized for this."}))
    with (
        Faulty([let_in, forbidden, forbidden]) as server,
        closing(central(server.url, Held(PASSWORD))) as centre,
    ):
        sync = Sync(replace(ALONE, central=centre), (chore,), bench.pace, bench.health)
        stood = []
        for until in (after(5), after(5) + LOG_IN_AGAIN):
            bench.run(sync, until)
            stood.append(sync.standing.contact)
            chore.fault = None
    assert [one.path for one in server.got][:2] == ["/api/requestAuthToken", "/api/v3_0/users"]
    assert chore.done
    assert stood == ["locked", "in-touch"]
    assert "centre main" not in bench.health.alarms


def test_while_it_rests_nothing_is_done_and_soon_after_it_is(bench: Bench) -> None:
    chore = Chore("upload")
    sync = bench.of(chore)
    sync.ask()
    with sync.resting():
        assert sync.step(NOW) == NOW + SECOND
        assert chore.tried == []
    sync.step(NOW + SECOND)
    assert chore.done == [NOW + SECOND]


def test_it_does_not_rest_before_the_present_step_is_over(bench: Bench) -> None:
    told: list[str] = []

    class Impatient(Chore):
        """Somebody links while it is under way."""

        def step(self, linked: Linked, now: datetime) -> datetime:
            with (
                pytest.raises(RequestError, match="main is being asked something") as error,
                sync.resting(patience_s=0.0),
            ):
                told.append("nobody waited")
            told.append(str(error.value.status))
            return super().step(linked, now)

    sync = bench.of(Impatient("upload"))
    sync.ask()
    sync.step(NOW)
    assert told == ["409"]
    with sync.resting(patience_s=0.0):
        pass  # it was given back
