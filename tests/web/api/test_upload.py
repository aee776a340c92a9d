from pathlib import Path

import pytest

from flexedge.web.api import data
from flexedge.web.api.op import File, Rejected
from flexedge.web.api.parts import Parts
from flexedge.web.api.upload import PLACE, operations
from tests.web.api.calls import Platform, platform, sensor_of
from tests.web.api.test_data import get
from tests.web.conftest import Site

UPLOAD = "/api/v3_0/sensors/{id}/data/upload"
ROWS = "Hour,Value\n2026-04-14T00:00:00+02:00,1.5\n2026-04-14T00:15:00+02:00,2\n"


@pytest.fixture
def here(tmp_path: Path) -> Platform:
    found = platform(tmp_path)
    ops = (*operations(found.parts), *data.operations(found.parts))
    found.ops = {(op.method, op.path): op for op in ops}
    return found


def file(text: str, name: str = "load.csv") -> File:
    return File(name, text.encode())


def test_files_are_stored_and_noted(here: Platform) -> None:
    number = here.sensor()
    more = "a;b\n2026-04-14T00:30:00+02:00;3,5\n"
    reply = here.call("POST", UPLOAD, number, files=(file(ROWS), file(more, "more.csv")))
    assert (reply.status, reply.body["status"]) == (202, "ACCEPTED")
    assert get(here, number)["values"] == [1.5, 2, 3.5, None]
    (entry,) = here.parts.state.audit.newest(asset_id=here.asset)
    assert entry.what == f"Data from load.csv, more.csv uploaded to sensor 'power': {number}"


def test_the_form_says_unit_and_belief_time(here: Platform) -> None:
    number = here.sensor()
    body = {"belief-time-measured-instantly": "on", "unit": "W"}
    here.call("POST", UPLOAD, number, files=(file(ROWS),), body=body)
    assert get(here, number)["values"] == [0.0015, 0.002, None, None]
    assert get(here, number, prior="2026-04-14T00:15:00+02:00")["values"][:2] == [0.0015, None]


def test_the_same_file_again_is_received_already(here: Platform) -> None:
    number = here.sensor()
    here.call("POST", UPLOAD, number, files=(file(ROWS),))
    assert here.call("POST", UPLOAD, number, files=(file(ROWS),)).status == 200


def test_a_bad_row_keeps_all_out(here: Platform) -> None:
    number = here.sensor()
    bad = file("a,b\n2026-04-14,1\nyesterday,2\n", "bad.csv")
    with pytest.raises(Rejected) as told:
        here.call("POST", UPLOAD, number, files=(file(ROWS), bad))
    assert told.value.told == {PLACE: {"uploaded-files": {"1": [
        "bad.csv, row 3: has the time 'yesterday'; write it as 2026-04-14T12:00:00+02:00"
    ]}}}  # fmt: skip
    assert get(here, number)["values"] == [None] * 4


def test_a_unit_that_does_not_fit_is_refused(here: Platform) -> None:
    with pytest.raises(Rejected) as told:
        here.call("POST", UPLOAD, here.sensor(), files=(file(ROWS),), body={"unit": "EUR"})
    assert told.value.told == {
        PLACE: {"unit": ["Provided unit 'EUR' is not convertible to sensor unit 'kW'"]}
    }


@pytest.mark.parametrize("count", [0, 21])
def test_there_are_some_files_but_not_too_many(here: Platform, count: int) -> None:
    with pytest.raises(Rejected) as told:
        here.call("POST", UPLOAD, here.sensor(), files=(file(ROWS),) * count)
    assert isinstance(told.value.told, dict)
    assert "uploaded-files" in told.value.told[PLACE]


def test_over_http_files_come_in_a_form(site: Site, parts: Parts) -> None:
    _, url = sensor_of(site, parts)
    ask = site.program()
    files = {"uploaded-files": ("load.csv", ROWS, "text/csv")}
    form = {"belief-time-measured-instantly": "False", "unit": "W"}
    assert ask.post(f"{url}/upload", files=files, data=form).status_code == 202
    query = {"start": "2026-04-14T00:00:00+02:00", "duration": "PT30M", "unit": "W"}
    assert ask.get(url, params=query).json()["values"] == [1.5, 2]
    files = {"uploaded-files": ("load.csv", "a,b\nx,1\n", "text/csv")}
    answer = ask.post(f"{url}/upload", files=files)
    assert answer.status_code == 422
    (told,) = answer.json()["message"][PLACE]["uploaded-files"]["0"]
    assert told.startswith("load.csv, row 2: has the time 'x'; write it as")
