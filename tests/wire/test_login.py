import pytest
from pydantic import ValidationError

from flexedge.wire.login import Login, TokensTold, TokenTold


def test_a_refresh_token_is_told_only_where_it_is_wanted() -> None:
    assert not Login(email="a@b", password="x").refresh  # noqa: S106
    assert TokenTold.model_fields.keys() == {"auth_token", "user_id", "status"}
    assert "refresh_token" in TokensTold.model_fields


def test_nobody_sends_endless_passwords() -> None:
    with pytest.raises(ValidationError):
        Login(email="a@b", password="x" * 1001)
