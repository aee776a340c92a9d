from datetime import timedelta

import pytest

from flexedge.errors import CentreAway, CentreLocked, CentreRefused, StoreClosed, StoreError
from flexedge.gateway.health import Health
from flexedge.gateway.sync.duty import Heard, Linked
from flexedge.gateway.sync.turn import LATER, LATER_AWAY, Turn
from tests.gateway.sync.duties import ALONE, MINUTE, NOW, SECOND, Chore, after

ABOUT = "centre main: upload"


@pytest.fixture
def chore() -> Chore:
    return Chore("upload")


@pytest.fixture
def turn(chore: Chore) -> Turn:
    return Turn(chore, NOW)


def test_a_duty_says_itself_when_it_is_due_again_and_never_in_the_past(
    turn: Turn, chore: Chore
) -> None:
    turn.take(ALONE, Health(), NOW)
    assert (turn.due, turn.last_good, turn.failed) == (after(1), NOW, 0)
    chore.every = -MINUTE
    turn.take(ALONE, Health(), after(1))
    assert turn.due == after(1)


@pytest.mark.parametrize(
    "error", [CentreRefused("main", 422, "BAD", "no such sensor"), StoreError("the disk is full")]
)
def test_what_fails_for_a_reason_of_its_own_is_told_and_tried_later_and_later(
    turn: Turn, chore: Chore, error: Exception
) -> None:
    health, now, pauses = Health(), NOW, []
    chore.fault = error
    for _ in range(16):
        turn.take(ALONE, health, now)
        pauses.append(turn.due - now)
        now = turn.due
    first, most = LATER
    assert pauses[:4] == [first, 2 * first, 4 * first, 8 * first]
    assert pauses[-1] == most
    assert str(error) in health.alarms[ABOUT]
    assert turn.heard().trouble == str(error)
    chore.fault = None
    turn.take(ALONE, health, now)
    assert health.alarms == {}
    assert turn.heard() == Heard("upload", now, "", {"done": 1})
    assert turn.due == now + MINUTE


def test_what_nobody_expected_is_told_counted_and_tried_again(turn: Turn, chore: Chore) -> None:
    health = Health()
    chore.fault = ZeroDivisionError("a defect")
    turn.take(ALONE, health, NOW)
    turn.take(ALONE, health, after(1))
    assert turn.due == after(1) + 2 * LATER[0]
    assert "a defect" in health.alarms[f"loop {ABOUT}"]
    assert "a defect" in turn.heard().trouble
    assert health.counts.errors == 2
    chore.fault = None
    turn.take(ALONE, health, after(2))
    assert (health.alarms, turn.trouble) == ({}, "")


def test_no_answer_is_not_its_fault_but_others_come_first(turn: Turn, chore: Chore) -> None:
    health = Health()
    chore.fault = CentreAway("main", "timeout", "no answer within 30 s", timedelta(hours=1))
    for tries in range(1, 12):
        with pytest.raises(CentreAway):
            turn.take(ALONE, health, NOW)
        assert turn.due == NOW + min(LATER_AWAY[0] * 2 ** (tries - 1), LATER_AWAY[1])
    assert turn.unanswered
    assert health.alarms == {}


def test_our_own_pace_is_no_failure(turn: Turn, chore: Chore) -> None:
    chore.fault = CentreAway("main", "paced", "120 requests in this minute", 3 * SECOND)
    for _ in range(3):
        turn.take(ALONE, Health(), NOW)
    assert (turn.due, turn.failed, turn.unanswered) == (NOW + 3 * SECOND, 0, False)
    chore.fault = CentreAway("main", "paced", "the budget for what waited is used up")
    turn.take(ALONE, Health(), after(1))
    assert turn.due == after(1) + SECOND


def test_what_was_answered_before_the_pace_ended_the_step_is_good(turn: Turn, chore: Chore) -> None:
    chore.fault = CentreAway("main", "paced", "120 requests in this minute", SECOND)
    turn.take(ALONE, Health(), after(1))
    assert turn.heard().last_good is None
    turn.answered(after(1))
    assert turn.heard().last_good == after(1)
    chore.fault = CentreRefused("main", 422, "BAD", "no such sensor")
    turn.take(ALONE, Health(), after(2))
    turn.answered(after(2))
    assert turn.heard().last_good == after(1)


def test_who_does_not_know_us_is_everybodys_concern(turn: Turn, chore: Chore) -> None:
    chore.fault = CentreLocked("main", "401")
    with pytest.raises(CentreLocked):
        turn.take(ALONE, Health(), NOW)


def test_the_end_of_the_program_is_no_trouble(turn: Turn, chore: Chore) -> None:
    health = Health()
    chore.fault = StoreClosed("closed")
    with pytest.raises(StoreClosed):
        turn.take(ALONE, health, NOW)
    assert (health.alarms, health.counts.errors) == ({}, 0)


def test_it_can_be_asked_to_come_at_once(turn: Turn, chore: Chore) -> None:
    chore.fault = CentreRefused("main", 422, "", "no")
    turn.take(ALONE, Health(), NOW)
    turn.again(NOW + SECOND)
    assert turn.due == NOW + SECOND
    turn.take(ALONE, Health(), NOW + SECOND)
    assert turn.due == NOW + SECOND + LATER[0]
    turn.again(after(9))
    assert turn.due == NOW + SECOND + LATER[0]  # it is due already


class Busy(Chore):
    """A chore with times of its own."""

    hurried = 0

    def hurry(self) -> None:
        self.hurried += 1


def test_a_duty_with_times_of_its_own_is_told_to_hurry(chore: Chore) -> None:
    busy = Busy("receive")
    turn = Turn(busy, NOW)
    turn.take(ALONE, Health(), NOW)
    assert busy.hurried == 0
    turn.again(NOW)
    assert busy.hurried == 1
    Turn(chore, NOW).again(NOW)  # others have none


class Leaving(Chore):
    """A duty that takes something back at the end."""

    ended: Linked | None = None

    def end(self, linked: Linked) -> None:
        self.ended = linked


def test_a_duty_may_take_back_what_it_did_when_the_centre_is_let_go_of(chore: Chore) -> None:
    leaving = Leaving("plans")
    Turn(leaving, NOW).end(ALONE)
    assert leaving.ended is ALONE
    Turn(chore, NOW).end(ALONE)  # which has nothing to take back
