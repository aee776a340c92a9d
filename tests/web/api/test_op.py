import pytest

from flexedge.web.api.op import Rejected, forbidden, invalid


def test_wrong_fields_are_told_under_their_place() -> None:
    with pytest.raises(Rejected) as told:
        invalid({"name": ["Missing data for required field."]})
    assert told.value.told == {"json": {"name": ["Missing data for required field."]}}
    assert (told.value.status, told.value.code) == (422, "UNPROCESSABLE_ENTITY")
    with pytest.raises(Rejected) as told:
        invalid({"start": ["Not a valid aware datetime."]}, "query")
    assert told.value.told == {"query": {"start": ["Not a valid aware datetime."]}}


def test_who_may_not_is_told_why() -> None:
    with pytest.raises(Rejected) as told:
        forbidden("Only the owner may.")
    assert (told.value.status, told.value.code) == (403, "INVALID_SENDER")
    assert (told.value.told, str(told.value)) == ("Only the owner may.", "Only the owner may.")
