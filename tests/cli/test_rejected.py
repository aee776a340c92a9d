import json
from datetime import timedelta

import pytest

from flexedge.cli.main import main
from flexedge.domain.asset import Sensor
from flexedge.domain.runs import Run
from flexedge.errors import CentreRefused
from flexedge.gateway.sync.unwanted import set_aside
from flexedge.store.tables.centres import Link
from flexedge.web.api.parts import Parts
from tests.cli.conftest import NOW
from tests.gateway.sync.duties import MAIN

pytestmark = pytest.mark.usefixtures("site")
BAD = CentreRefused("main", 422, "UNPROCESSABLE_ENTITY", "no such value")


@pytest.fixture(autouse=True)
def refused(parts: Parts) -> None:
    state = parts.state
    link = Link(state.centres.add(MAIN), "sensor", state.sensor_id(Sensor("meter.power", "kW")), 9)
    numbered = state.links.add(link), link
    for n, values in enumerate(((None,), (1.5,), (1.0, 2.0))):
        run = Run(NOW + n * timedelta(hours=1), timedelta(minutes=5), values, "kW", prior=NOW)
        set_aside(state, numbered, run, BAD, NOW)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_what_was_refused_is_listed(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "rejected"]) == 1
    head, *rows = lines(capsys)
    assert head == "id centre sensor what from values tries why"
    assert [row.split(" measured ")[0] for row in rows] == [
        "3 main meter.power", "2 main meter.power", "1 main meter.power"
    ]  # fmt: skip
    assert rows[0].endswith("2 1 422 UNPROCESSABLE_ENTITY: no such value")
    assert " 1.5 kW 1 422" in rows[1]
    assert " missing 1 422" in rows[2]  # which is never 0
    assert main(["sync", "rejected", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["count"] == 3
    parts.state.remember("sync.1.dropped", "12")
    main(["sync", "rejected", "--centre", "main"])
    assert lines(capsys)[-1] == "12 values that main refused were given up: they were too many"


def test_some_or_all_are_tried_once_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "retry", "2", "77"]) == 0
    assert lines(capsys) == ["1 value tried once more.", "not there (any more): 77"]
    main(["sync", "rejected"])
    assert "1, once more" in lines(capsys)[2]
    assert main(["sync", "retry", "--all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["numbers"] == [1, 2, 3]


def test_what_is_given_up_is_not_there_any_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "retry", "--drop", "1", "2"]) == 0
    assert main(["sync", "retry", "--drop", "--all"]) == 0
    assert lines(capsys) == ["2 values given up.", "2 values given up."]
    assert main(["sync", "rejected"]) == 0
    assert lines(capsys) == ["Nothing is refused."]
    assert main(["sync", "retry", "--all"]) == 1


def test_it_does_not_guess_which(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "retry", "--drop"]) != 0
    assert "Say which" in capsys.readouterr().err
    main(["sync", "rejected"])
    assert len(lines(capsys)) == 4
