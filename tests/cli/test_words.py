import argparse

import pytest

from flexedge.cli.words import add_link


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_link(parser.add_subparsers())
    return parser.parse_args(words)


def test_what_is_left_out() -> None:
    told = vars(parsed("link", "https://a"))
    assert told == {
        "url": "https://a", "name": "main", "account": None, "email": None, "password_file": None,
        "token_file": None, "scopes": None, "same_name": None, "dry_run": False, "yes": False,
        "module": "flexedge.cli.link", "what": "link",
    }  # fmt: skip
    assert vars(parsed("unlink")) == {
        "name": "main", "delete_there": False, "yes": False, "module": "flexedge.cli.link",
        "what": "unlink",
    }  # fmt: skip


@pytest.mark.parametrize("word", ["adopt", "take-over", "beside"])
def test_what_to_do_with_a_name_is_said_once(word: str) -> None:
    assert parsed("link", "https://a", f"--{word}").same_name == word
    with pytest.raises(SystemExit):
        parsed("link", "https://a", "--adopt", "--take-over")


def test_secrets_are_no_words() -> None:
    for word in ("--password", "--token"):
        with pytest.raises(SystemExit):
            parsed("link", "https://a", f"{word}=birch")
