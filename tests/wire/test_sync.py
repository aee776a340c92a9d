import pytest
from pydantic import ValidationError

from flexedge.wire.sync import AskSync


def test_all_centres_are_meant_where_none_is_named() -> None:
    assert AskSync.model_validate({}).centre is None
    assert AskSync.model_validate({"centre": "main"}).centre == "main"


def test_what_is_no_name_is_refused() -> None:
    for wrong in ({"centre": "x" * 41}, {"center": "main"}):
        with pytest.raises(ValidationError):
            AskSync.model_validate(wrong)
