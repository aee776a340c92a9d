import pytest
from pydantic import ValidationError

from flexedge.wire.accounts import ChangedAccount, NewAccount, NewPlan


@pytest.mark.parametrize("color", ["#1a3443", "1A3443", "#fff"])
def test_colors_are_hexadecimal(color: str) -> None:
    assert ChangedAccount(primary_color=color).primary_color == color
    with pytest.raises(ValidationError, match="hex color"):
        ChangedAccount(primary_color=f"{color}z")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "logo.png", "https://", "file:///etc"])
def test_logos_are_on_the_web(url: str) -> None:
    with pytest.raises(ValidationError, match="not a valid URL"):
        ChangedAccount(logo_url=url)


def test_attributes_are_an_object_as_text_or_not() -> None:
    assert ChangedAccount.model_validate({"attributes": '{"a": 1}'}).attributes == {"a": 1}
    assert ChangedAccount.model_validate({"attributes": {"a": 1}}).attributes == {"a": 1}
    with pytest.raises(ValidationError, match="Not a JSON object"):
        ChangedAccount.model_validate({"attributes": "[1]"})


def test_names_are_not_empty() -> None:
    assert NewAccount(name=" Home ").name == "Home"
    with pytest.raises(ValidationError, match="cannot be empty"):
        NewAccount(name="  ")


def test_plans_have_rates() -> None:
    assert NewPlan(name="x", trigger_rate_limit="unlimited").trigger_rate_limit == "unlimited"
    with pytest.raises(ValidationError, match="should be a rate"):
        NewPlan(name="x", default_rate_limit="often")
