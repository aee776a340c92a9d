import json
from dataclasses import replace
from pathlib import Path

import pytest

from flexedge.web.api.legacy import operations
from flexedge.web.api.op import Rejected
from tests.web.api.calls import Platform, platform

DATA = "/api/v3_0/sensors/data"
WHEN = {"start": "2026-04-14T00:00:00+02:00", "duration": "PT30M", "unit": "kW"}


@pytest.fixture
def here(tmp_path: Path) -> Platform:
    found = platform(tmp_path)
    found.ops = {(op.method, op.path): op for op in operations(found.parts)}
    return found


def test_a_sensor_is_found_by_its_address(here: Platform) -> None:
    address = f"ea1.2026-12.localhost:fm1.{here.sensor()}"
    body = {"sensor": address, "values": [1, 2], "type": "PostSensorDataRequest"} | WHEN
    assert here.call("POST", DATA, body=body).status == 202
    told = here.call("GET", DATA, query={"sensor": address} | WHEN)
    assert json.loads(told.body)["values"] == [1, 2]
    assert all(op.deprecated for op in here.ops.values())


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("7", "is no entity address"),
        ("ea1.2026-13.localhost:fm1.1", "is no entity address"),
        ("ea1.2026-12.localhost:fm0.1:2", "is no entity address"),
        ("ea1.2026-12.localhost:5000:fm1.999", "doesn't exist"),
    ],
)
def test_a_strange_address_is_refused(here: Platform, address: str, words: str) -> None:
    with pytest.raises(Rejected) as told:
        here.call("GET", DATA, query={"sensor": address} | WHEN)
    assert (told.value.status, told.value.code) == (422, "INVALID_DOMAIN")
    assert words in str(told.value.told)


def test_not_everybody_may(here: Platform) -> None:
    address = f"ea1.2026-12.localhost:fm1.{here.sensor()}"
    stranger = replace(here.user(), account_id=99)
    for method, more in (("GET", {"query": {"sensor": address} | WHEN}),
                         ("POST", {"body": {"sensor": address, "values": 1} | WHEN})):  # fmt: skip
        with pytest.raises(Rejected) as told:
            here.call(method, DATA, caller=stranger, **more)
        assert told.value.status == 403
