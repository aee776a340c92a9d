"""Problems that bring all their data along."""

import threading
from pathlib import Path
from typing import Any

import pytest

from flexedge.optim.request.solve import solve_file
from flexedge.web.api.op import Rejected
from tests.optim.request.asking import BATTERY, LIMIT, problem, series
from tests.web.api.toy import Toy, toy

SOLVE = "/api/v3_0/schedules/solve"
PRICED = problem(
    BATTERY, {"consumption-price": {"sensor": "price"}},
    stored={"price": series(3, 1, 2, 4, unit="EUR/kWh")},
)  # fmt: skip


@pytest.fixture
def here(tmp_path: Path) -> Toy:
    return toy(tmp_path)


def test_it_answers_as_flexedge_solve_does(here: Toy) -> None:
    told = here.here.call("POST", SOLVE, body=PRICED, query={"time-limit": "10"}).body
    plain = solve_file(PRICED, LIMIT)
    for answer in (told, plain):
        answer.pop("solver")
    assert told == plain
    brief = here.here.call("POST", SOLVE, body=PRICED, query={"explain": "false"}).body
    assert "explanation" not in brief


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"flex-model": {**BATTERY, "watts": 1}}, {"json": {"watts": ["Unknown field."]}}),
        ({"start": "now"}, {"json": {"request.start": [
            "'now' is not a date and time: write it as '2030-01-15T07:00:00+01:00'"]}}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(here: Toy, change: dict[str, Any], told: Any) -> None:
    body = PRICED | {"request": PRICED["request"] | change}
    with pytest.raises(Rejected) as raised:
        here.here.call("POST", SOLVE, body=body, query={})
    assert (raised.value.status, raised.value.told) == (422, told)


def test_what_is_too_much_at_once_is_refused(here: Toy) -> None:
    many = [{**BATTERY, "asset": f"a{i}"} | {"sensor": None} for i in range(30)]
    change = {"flex-model": many, "duration": "PT2400H", "resolution": "PT1H"}
    body = PRICED | {"request": PRICED["request"] | change}
    with pytest.raises(Rejected) as raised:
        here.here.call("POST", SOLVE, body=body, query={})
    assert "can be planned at once: ask for at most 1666 steps" in str(raised.value.told)


def test_a_few_may_wait_for_their_turn(here: Toy) -> None:
    gate, answers = threading.Barrier(7), []

    def ask() -> None:
        gate.wait()
        try:
            answers.append(here.here.call("POST", SOLVE, body=PRICED, query={}).status)
        except Rejected as error:
            answers.append(error.status)

    threads = [threading.Thread(target=ask) for _ in range(7)]  # noqa: TID251
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert answers.count(200) >= 4
    assert set(answers) <= {200, 503}
