"""The shapes of schedules."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from flexedge.wire.schedules import Accepted, HowToSolve, Of, SensorTrigger, SolveFile, Trigger


def test_a_trigger_is_read_in_both_spellings_and_told_in_kebab_case() -> None:
    said = {"start": "2026-04-14T07:00:00+02:00", "flex-model": [{"sensor": 1}], "sequential": True}
    one = Trigger.model_validate({**said, "force-new-job-creation": True})
    other = Trigger.model_validate(
        {"start": said["start"], "flex_model": said["flex-model"], "sequential": True,
         "force_new_job_creation": True}
    )  # fmt: skip
    assert one == other
    assert one.model_dump(by_alias=True, exclude_none=True)["flex-model"] == [{"sensor": 1}]


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (Trigger, {}),
        (Trigger, {"start": 5}),
        (Trigger, {"start": "x", "flex-modell": []}),
        (Trigger, {"start": "x", "flex-model": "none"}),
        (SensorTrigger, {"start": "x", "flex-model": []}),
        (Of, {"sign-convention": "negative"}),
        (HowToSolve, {"time-limit": 0}),
        (HowToSolve, {"time-limit": 31}),
        (SolveFile, {}),
    ],
)
def test_what_is_no_request_is_refused(shape: type, said: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(shape).validate_python(said)


def test_results_that_stand_in_a_file_are_ignored() -> None:
    said = {"request": {"start": "x"}, "result": {"cost": 1}, "scheduling-resolution": "PT15M"}
    assert SolveFile.model_validate(said).model_dump(by_alias=True, exclude_none=True) == {
        "request": {"start": "x"}, "scheduling-resolution": "PT15M"
    }  # fmt: skip


def test_what_is_accepted_is_told_in_kebab_case() -> None:
    told = Accepted(job="1", schedule="1", job_url="/x").model_dump(by_alias=True)
    assert set(told) == {"status", "message", "job", "schedule", "job-url"}
