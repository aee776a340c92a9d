from pathlib import Path
from typing import Any

import pytest

from flexedge.web.api.annotations import operations
from flexedge.web.api.op import Rejected
from tests.web.api.asking import USER, platform

POST = "/api/v3_0/{place}/{{id}}/annotations"
BODY: dict[str, Any] = {"content": "a storm", "start": "2026-04-14T00:00:00+02:00",
                        "end": "2026-04-15T00:00:00+02:00"}  # fmt: skip


def test_what_is_said_is_kept_once_and_told_where_it_was_said(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        battery = here.asset("battery")
        numbers = {"assets": battery, "sensors": here.sensor(battery, "power"), "accounts": 1}
        audit = here.parts.state.audit
        for place, number in numbers.items():
            path = POST.format(place=place)
            first = here.ask("POST", path, number, body=BODY)
            again = here.ask("POST", path, number, body=BODY | {"prior": "2026-04-13T00:00:00Z"})
            assert (first.status, again.status, first.body) == (201, 200, again.body)
            assert first.body.model_dump(mode="json") == {
                "id": 1, "content": "a storm", "start": "2026-04-13T22:00:00Z",
                "end": "2026-04-14T22:00:00Z", "type": "label", "prior": None,
                "source": here.parts.beliefs.source(USER),
            }  # fmt: skip
            told = here.ask("GET", path, number).body
            assert [one.content for one in told.annotations] == ["a storm"]
            later = here.ask("GET", path, number, {"start": "2026-04-15T00:00:00+02:00"}).body
            assert later.annotations == []
        log = audit.newest()
        assert [(one.what, one.account_id, one.asset_id, one.user_id) for one in log] == [
            ("Added annotation 1: a storm", 1, None, 7),
            ("Added annotation 1: a storm", None, battery, 7),
            ("Added annotation 1: a storm", 1, battery, 7),
        ]


def test_another_end_is_another_remark_unless_it_was_said_at_once(tmp_path: Path) -> None:
    path = POST.format(place="accounts")
    longer = BODY | {"end": "2026-04-16T00:00:00+02:00"}
    with platform(tmp_path, operations) as here:
        assert here.ask("POST", path, 1, body=BODY).body.id == 1
        assert here.ask("POST", path, 1, body=longer).body.id == 2
        said = {"type": "alert", "prior": "2026-04-13T00:00:00Z"}
        assert here.ask("POST", path, 1, body=BODY | said).body.id == 3
        with pytest.raises(Rejected) as refused:
            here.ask("POST", path, 1, body=longer | said)
        assert refused.value.told == {
            "json": {"end": ["The same was said at that moment, with another end."]}}  # fmt: skip


def test_who_may_add_to_a_thing_may_say_something_about_it(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        rights = {(op.method, op.on.kind, op.on.permission) for op in here.ops.values() if op.on}
    assert rights == {(method, kind, permission)
                      for method, permission in (("POST", "create-children"), ("GET", "read"))
                      for kind in ("asset", "sensor", "account")}  # fmt: skip
