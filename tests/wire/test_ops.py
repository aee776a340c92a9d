from datetime import UTC, datetime

from flexedge.wire.ops import Noted, Pong, TaskAsked, TaskReport, TaskTold


def test_runs_are_reported_and_told_in_flexmeasures_words() -> None:
    assert Pong().model_dump() == {"message": "ok", "status": 200}
    assert TaskAsked.model_validate({}).name == ""
    assert TaskReport.model_validate({"name": "x"}).status == "True"
    told = TaskTold(status="OK", reason="", lastrun=datetime(2026, 4, 14, tzinfo=UTC))
    assert told.model_dump(mode="json") == {
        "status": "OK", "reason": "", "lastrun": "2026-04-14T00:00:00Z", "frequency": 10,
        "process": "flexedge", "server": ""}  # fmt: skip
    assert Noted(status="OK").reason is None
