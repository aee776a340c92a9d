import pytest
from pydantic import ValidationError

from flexedge.config import centre
from flexedge.gateway.sync import linking
from flexedge.wire import centres
from flexedge.wire.centres import AskLink, AskUnlink


def test_words_are_those_of_the_site_file_and_of_linking() -> None:
    assert centres.Scope == centre.Scope
    assert centres.Way == linking.Way
    assert centres.SameName == linking.SameName
    assert AskLink(url="https://a").scopes == centre.SCOPES
    assert AskLink(url="https://a").name == centre.MAIN


def test_secrets_are_not_shown() -> None:
    asked = AskLink.model_validate({"url": "https://a", "password": "birch-1", "token": "birch-2"})
    assert "birch" not in f"{asked!r} {asked} {asked.model_dump_json()}"
    assert asked.password.get_secret_value() == "birch-1"


@pytest.mark.parametrize("name", ["Main", "a/b", "", "..", "7", "x" * 41])
def test_names_are_plain(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        AskLink(url="https://a", name=name)


def test_what_unlinking_asks_comes_as_text() -> None:
    for text, meant in (("true", True), ("false", False)):
        assert AskUnlink.model_validate({"delete_there": text}).delete_there is meant
