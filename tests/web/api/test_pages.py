import pytest

from flexedge.errors import RequestError
from flexedge.web.api.op import Rejected
from flexedge.web.api.pages import matches, page_of, terms
from flexedge.wire.assets import Paged


def test_words_and_phrases_are_searched_for() -> None:
    assert terms('solar "ACME corp"') == ["solar", "acme corp"]
    assert terms(None) == []
    with pytest.raises(Rejected):
        terms('"open')


def test_a_term_is_in_a_name_or_begins_the_number() -> None:
    assert matches("ol", 7, "Solar")
    assert matches("12", 123, None)
    assert not matches("23", 123, "x", None)


def test_a_page_is_a_part_of_what_was_found() -> None:
    found = list(range(5))
    assert page_of(found, Paged(page=None)) == found
    assert page_of(found, Paged(page=3, per_page=2)) == [4]
    assert page_of([], Paged(page=1)) == []
    with pytest.raises(RequestError, match="no page 4"):
        page_of(found, Paged(page=4, per_page=2))
