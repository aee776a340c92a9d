from typing import Any

import pytest
from pydantic import ValidationError

from flexedge.wire.annotations import ChartRemark, Remark, RemarksAsked

BODY = {"content": "x" * 1024, "start": "2026-04-14T00:00:00+02:00",
        "end": "2026-04-15T00:00:00+02:00"}  # fmt: skip


def test_a_remark_is_a_label_of_a_span() -> None:
    assert (Remark.model_validate(BODY).type, Remark.model_validate(BODY).prior) == ("label", None)


@pytest.mark.parametrize("wrong", [
    {"content": "x" * 1025}, {"content": 5}, {"end": BODY["start"]}, {"type": "remark"},
    {"start": "2026-04-14T00:00:00"}, {"prior": "yesterday"}, {"colour": "red"},
])  # fmt: skip
def test_what_is_no_remark_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Remark.model_validate(BODY | wrong)


def test_all_remarks_are_asked_for_unless_a_span_is_named() -> None:
    assert RemarksAsked.model_validate({}) == RemarksAsked()
    told = ChartRemark(
        index=0, start=1, end=2, belief_time=None, source="a", type="label", content=["b"]
    )
    assert told.content == ["b"]
