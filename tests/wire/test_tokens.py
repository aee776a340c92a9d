from datetime import timedelta

import pytest
from pydantic import ValidationError

from flexedge.wire.tokens import NewKey


def test_a_key_reads_for_a_quarter_if_nothing_is_said() -> None:
    key = NewKey(name="x")
    assert (key.scopes, key.expires_in) == (["read"], timedelta(days=90))


def test_no_end_is_said() -> None:
    assert NewKey.model_validate({"name": "x", "expires_in": None}).expires_in is None
    assert NewKey.model_validate({"name": "x", "expires_in": "PT1H"}).expires_in == timedelta(
        hours=1
    )


def test_scopes_are_those_there_are() -> None:
    with pytest.raises(ValidationError):
        NewKey.model_validate({"name": "x", "scopes": ["all"]})
