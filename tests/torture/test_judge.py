from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flexedge.store.tables.cursors import Cursor
from tests.torture.judge import Judge
from tests.torture.plan import Kind, Plan
from tests.torture.work import CENTRE, House, Worker

SCRIPT: tuple[Kind, ...] = ("forecast", "readings", "send", "forecast", "remember")
PLAN = Plan(1, len(SCRIPT), timedelta(minutes=90), SCRIPT)
_BATCH = 1 << 20


def moved(house: House, by: int) -> None:
    cursors = house.cursors()
    house.state.cursors.move(
        {(CENTRE, number): Cursor(one.position + by) for number, one in cursors.items()}
    )


def nothing(_: House) -> None:
    pass


def forget(house: House) -> None:
    house.state.cursors.forget(CENTRE)


def lose(house: House) -> None:
    journal = house.archive._journal
    journal.drop([journal.last])


def lose_and_tell(house: House) -> None:
    journal = house.archive._journal
    journal.drop([journal.last])
    journal._connection.execute("update facts set value = 1, seal = 0 where name = 'last'")


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (nothing, ""),
        (lose, "LOST: 12 of 24 beliefs after 5"),
        (lose_and_tell, "LOST: 12 of 24 beliefs after 5"),
        (lambda house: moved(house, _BATCH), "LOST: 12 of 12 beliefs for a centre after 5"),
        (lambda house: moved(house, 2 * _BATCH), "AGAIN: a centre has all up to"),
        (lambda house: moved(house, -2 * _BATCH), "AHEAD: 12 beliefs for a centre too many"),
        (forget, "AHEAD: 12 beliefs for a centre too many"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_seen(tmp_path: Path, harm: Callable[[House], None], fault: str) -> None:
    worker = Worker(PLAN, tmp_path, PLAN.steps[0].now)
    for step in PLAN.steps:
        worker.do(step)
    harm(worker.house)
    worker.close()
    told = Judge(PLAN).judge(tmp_path, PLAN.n).fault
    assert told.startswith(fault)
    assert bool(told) == bool(fault)
    assert ("journal.db was damaged" in told) == (harm is lose_and_tell)


def test_a_step_that_was_under_way_is_there_or_not(tmp_path: Path) -> None:
    worker = Worker(PLAN, tmp_path, PLAN.steps[0].now)
    for done, step in enumerate(PLAN.steps):
        worker.do(step)
        worker.close()
        verdict = Judge(PLAN).judge(tmp_path, done, thorough=False)
        assert (verdict.fault, verdict.reached) == ("", done + 1)
        worker = Worker(PLAN, tmp_path, step.now)
    worker.close()
