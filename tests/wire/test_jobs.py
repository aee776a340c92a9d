"""The shape of a job."""

from flexedge.wire.jobs import JobTold


def test_some_keys_are_told_twice() -> None:
    told = JobTold(
        status="FAILED", message="m", origin="scheduling", func_name="f", enqueued_at="e",
        started_at=None, ended_at=None, exc_info="why", func="f", enqueued="e", started=None,
        ended=None, why="why",
    ).model_dump(by_alias=True)  # fmt: skip
    assert told["func-name"] == told["func_name"] == "f"
    assert told["exc-info"] == told["exc_info"] == "why"
    assert len(told) == 14
