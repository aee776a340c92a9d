"""Commands as they are written down at a centre."""

from typing import Any

import pytest
from pydantic import ValidationError

from flexedge.wire.commands import COMMAND, Bundle, End, Limit, Outcome, Override, Polling

AT, LATER, LATEST = (f"2026-04-14T{hour}:00:00+02:00" for hour in (10, 11, 12))
GIVEN: dict[str, Any] = {"id": "1", "at": AT}


def test_each_kind_is_read_as_what_it_is() -> None:
    override = COMMAND.validate_python(
        GIVEN | {"command": "override", "asset": "battery", "action": "charge", "power": "2 kW",
                 "until": LATEST, "expires": LATER, "by": "Jane"}
    )  # fmt: skip
    assert isinstance(override, Override)
    assert (override.power, override.last.hour) == (2.0, 11)
    limit = COMMAND.validate_python(
        GIVEN | {"command": "limit", "most_production": "0 kW", "until": LATER, "expires": LATEST}
    )
    assert isinstance(limit, Limit)
    assert (limit.asset, limit.most_production, limit.last.hour) == (None, 0.0, 11)
    for kind in ("override", "limit"):
        end = COMMAND.validate_python(GIVEN | {"command": kind, "ends": "0", "expires": LATER})
        assert isinstance(end, End)
        assert (end.command, end.ends, end.last.hour) == (kind, "0", 11)
    expires = {"expires": LATER}
    polling = COMMAND.validate_python(GIVEN | expires | {"command": "polling", "device": "meter"})
    assert isinstance(polling, Polling)
    assert isinstance(COMMAND.validate_python(GIVEN | expires | {"command": "bundle"}), Bundle)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"command": "reboot"}, "one of override, limit, polling, bundle"),
        ({}, "one of override, limit, polling, bundle"),
        ({"command": ["limit"]}, "one of override, limit, polling, bundle"),
        ({"command": "bundle"}, "expires"),
        ({"command": "polling", "expires": LATER}, "device"),
        ({"command": "polling", "device": "x", "expires": LATER, "ends": "1"}, "ends"),
        ({"command": "override", "asset": "battery", "action": "idle"}, "until"),
        ({"command": "bundle", "expires": "2026-04-14T11:00:00"}, "aware"),
        ({"command": "bundle", "expires": LATER, "id": ""}, "id"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        COMMAND.validate_python(GIVEN | given)


def test_an_outcome_is_plain_json() -> None:
    told = Outcome(id="1", command="bundle", result="done", why="it is", at=AT)
    assert told.model_dump(mode="json") == {
        "id": "1", "command": "bundle", "result": "done", "why": "it is", "at": AT
    }  # fmt: skip
