import pytest
from pydantic import ValidationError

from flexedge.wire.users import ChangedUser, NewUser, UsersAsked


def test_addresses_are_kept_in_lower_case() -> None:
    made = NewUser(email="Anna@Example.ORG", username=" Anna ", account_id=1)
    assert (made.email, made.username) == ("anna@example.org", "Anna")


@pytest.mark.parametrize("email", ["anna", "a b@c", "@c", "a@", "a@b@c", "a@b,c"])
def test_other_texts_are_no_addresses(email: str) -> None:
    with pytest.raises(ValidationError, match="Not a valid email"):
        NewUser(email=email, username="x", account_id=1)


def test_who_has_no_address_says_so() -> None:
    assert NewUser(email=None, username="x", account_id=1).email is None
    with pytest.raises(ValidationError, match="Field required"):
        NewUser.model_validate({"username": "x", "account_id": 1})


def test_time_zones_exist() -> None:
    assert ChangedUser(timezone="Asia/Seoul").timezone == "Asia/Seoul"
    with pytest.raises(ValidationError, match="doesn't exist"):
        ChangedUser(timezone="Mars/Base")


def test_the_account_has_an_old_name() -> None:
    assert UsersAsked.model_validate({"account_id": "3"}).account == 3
    assert UsersAsked.model_validate({"account": "3"}).account == 3


def test_truth_is_no_number_of_a_role() -> None:
    assert ChangedUser.model_validate({"flexmeasures_roles": [1]}).flexmeasures_roles == [1]
    with pytest.raises(ValidationError, match="Not a valid integer"):
        ChangedUser.model_validate({"flexmeasures_roles": [True]})
