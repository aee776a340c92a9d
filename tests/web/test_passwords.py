import pytest

from flexedge.errors import RequestError
from flexedge.web.passwords import demand, normal


@pytest.mark.parametrize(
    "password", ["", "ninechars", "1234567890", "PassWord123", "aaaaaaaaaaaa", "x" * 201]
)
def test_poor_passwords_are_refused_with_a_remedy(password: str) -> None:
    with pytest.raises(RequestError, match="hoose") as caught:
        demand(password)
    assert caught.value.status == 422


@pytest.mark.parametrize("password", ["tenletters", "correct horse", "ünïcödé wörds"])
def test_good_passwords_pass(password: str) -> None:
    demand(password)


def test_the_same_letters_are_the_same_password_on_every_keyboard() -> None:
    assert normal("caf\u0065\u0301") == normal("caf\u00e9")
