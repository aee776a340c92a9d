import pytest
from pydantic import ValidationError

from flexedge.wire.lists import EventPage, ListAsked


def test_keys_have_dashes_or_underscores() -> None:
    assert ListAsked.model_validate({"per-page": "3"}).per_page == 3
    assert ListAsked.model_validate({"per_page": "3"}).per_page == 3


@pytest.mark.parametrize("wrong", [{"page": 0}, {"per-page": 0}, {"sort-dir": "up"}])
def test_pages_begin_with_one(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ListAsked.model_validate(wrong)


def test_pages_are_told_with_dashes() -> None:
    told = EventPage(data=[], num_records=3, filtered_records=0).model_dump(by_alias=True)
    assert told == {"data": [], "num-records": 3, "filtered-records": 0, "status": 200}
