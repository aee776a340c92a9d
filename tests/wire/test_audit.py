import pytest
from pydantic import ValidationError

from flexedge.wire.audit import Log, LogAsked


def test_pages_are_asked_for_in_both_spellings() -> None:
    assert LogAsked.model_validate({"per-page": "3", "sort_dir": "asc"}) == LogAsked(
        per_page=3, sort_dir="asc")  # fmt: skip
    for wrong in ({"page": 0}, {"per-page": 0}, {"sort-by": "event"}, {"sort-dir": "up"}):
        with pytest.raises(ValidationError):
            LogAsked.model_validate(wrong)


def test_a_log_says_how_many_there_are() -> None:
    log = Log(data=[], num_records=3, filtered_records=2)
    assert log.model_dump() == {
        "data": [], "num-records": 3, "filtered-records": 2, "status": 200}  # fmt: skip
