import io
import json
from pathlib import Path

import pytest

from flexedge.cli.main import main
from flexedge.store.state import State
from flexedge.web.passwords import fits

PASSWORD = "seven tall birches"  # noqa: S105 (a test's)


@pytest.fixture(autouse=True)
def _no_site(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("FLEXEDGE_SITE", str(folder / "no-site.yaml"))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n{PASSWORD}\n"))


def test_the_first_account_and_user(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", "account", "Home", "--roles", "Consultancy,Prosumer"]) == 0
    assert main(
        ["add", "user", "--email", "Anna@example.org", "--account", "home",
         "--roles", "account-admin", "--roles", "admin", "--timezone", "Europe/Berlin"]
    ) == 0  # fmt: skip
    assert capsys.readouterr().out == "account 1: Home\nuser 1: Anna@example.org\n"
    state = State(folder / "state.db")
    user = state.users.all()[1]
    state.close()
    assert (user.email, user.timezone) == ("anna@example.org", "Europe/Berlin")
    assert set(user.roles) == {"account-admin", "admin"}
    assert fits(user.password_hash, PASSWORD)


def test_a_service_account_and_its_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", "account", "--name", "Home", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == 1
    assert main(["add", "user", "--username", "logger", "--account-id", "1"]) == 0
    capsys.readouterr()
    words = ["add", "token", "--user", "logger", "--name", "sun", "--scopes", "read,data"]
    assert main([*words, "--expires", "2w"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("fxk_")
    assert "token 1: Keep the token" in told.err
    assert main([*words, "--expires", "never", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["expires"], made["scopes"]) == (None, ["data", "read"])


def test_a_password_out_of_a_file(folder: Path) -> None:
    (folder / "secret").write_text(f"{PASSWORD}\nanything\n")
    main(["add", "account", "Home"])
    words = ["add", "user", "--email", "a@b", "--account", "1", "--password-file"]
    assert main([*words, str(folder / "secret")]) == 0
    assert main([*words, str(folder / "none")]) == 69


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["account"], "give the account's name once"),
        (["account", "Home"], "name: An account with name 'Home' already exists."),
        (["account", "X", "--roles", "King"], "'King' is no account role; there are Consultancy"),
        (["account", "X", "--plan", "gold"], "there is no plan 'gold'; there are none"),
        (["account", "X", "--consultancy", "7"], "there is no account '7'; there are Home"),
        (["account", "  "], "name: Account name cannot be empty."),
        (["user", "--account", "Home"], "give --email, or --username for a service account"),
        (["user", "--account", "X", "--email", "a@b"], "there is no account 'X'"),
        (["user", "--account", "1", "--email", "a"], "email: Not a valid email address."),
        (["user", "--account", "1", "--email", "a@b", "--roles", "king"], "'king' is no role"),
        (["user", "--account", "1", "--email", "a@b", "--timezone", "X"], "Timezone X doesn't"),
        (["token", "--user", "x", "--name", "y"], "there is no user 'x'; there are none"),
        (["token", "--user", "x", "--name", "y", "--scopes", "all"], "'all' is no scope"),
        (["token", "--user", "x", "--name", "y", "--expires", "soon"], "should be a span such as"),
    ],
)
def test_mistakes_are_told_and_leave_nothing(
    words: list[str], told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["add", "account", "Home"])
    capsys.readouterr()
    assert main(["add", *words]) == 69
    assert told in capsys.readouterr().err
    state = State(folder / "state.db")
    left = len(state.accounts.all()), state.users.all()
    state.close()
    assert left == (1, {})


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "there is no password"),
        ("short\n", "at least 10 characters"),
        (f"{PASSWORD}\nother\n", "the two passwords are not the same"),
    ],
)
def test_passwords_must_be_good(
    typed: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["add", "account", "Home"])
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert main(["add", "user", "--email", "a@b", "--account", "1"]) == 69
    assert told in capsys.readouterr().err
