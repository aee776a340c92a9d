import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flexedge.cli.main import main
from tests.api.served import PASSWORD, USER, Served


class Terminal(io.StringIO):
    """What somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("centre")).people() as served:
        yield served


@pytest.fixture(scope="module")
def _gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("gateway")).people() as served:
        token = served.token()
        body: dict[str, Any] = {"name": "plant", "account_id": 1, "generic_asset_type_id": 5}
        asset = served.ask("POST", "/assets", token, json=body).json()["id"]
        body = {"name": "power", "unit": "kW", "event_resolution": "PT15M",
                "generic_asset_id": asset}  # fmt: skip
        assert served.ask("POST", "/sensors", token, json=body).ok
        yield served


@pytest.fixture
def gateway(
    _gateway: Served, centre: Served, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:  # fmt: skip
    """Not linked, with a centre that is empty: whatever became of the test before."""
    monkeypatch.setenv("FLEXEDGE_DATA_DIR", str(_gateway.folder))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    yield _gateway
    own = json.loads((_gateway.folder / "runtime.json").read_text())["token"]
    for one in _gateway.ask("GET", "/gateway/centres", own).json():
        _gateway.ask("DELETE", f"/gateway/centres/{one['name']}", own).raise_for_status()
    theirs = centre.token()
    for one in centre.ask("GET", "/assets", theirs).json():
        if one["parent_asset_id"] is None:
            centre.ask("DELETE", f"/assets/{one['id']}", theirs).raise_for_status()


@pytest.fixture
def password(tmp_path: Path) -> str:
    (tmp_path / "secret").write_text(f"{PASSWORD}\n")
    return str(tmp_path / "secret")


def names(centre: Served) -> list[str]:
    return [one["name"] for one in centre.ask("GET", "/assets", centre.token()).json()]


@pytest.mark.usefixtures("gateway")
def test_from_a_dry_run_to_unlinking(
    centre: Served, password: str, capsys: pytest.CaptureFixture[str]
) -> None:
    who = ["--email", USER, "--password-file", password]
    assert main(["link", centre.url, *who, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert told.splitlines() == [
        f"{centre.url} is flexedge 1.0.1; you are {USER} there, and the account is Toy Account (1)",
        "  + asset  plant", "  + sensor plant / power", "2 to make (+)",
    ]  # fmt: skip
    assert names(centre) == []
    assert main(["link", centre.url, *who, "--yes", "--account", "toy account"]) == 0
    told = capsys.readouterr().out
    assert "  made asset plant\n  made sensor plant / power\nlinked with main;" in told
    assert names(centre) == ["plant"]
    assert main(["link", centre.url, "--yes", "--json"]) == 0  # the credential is known
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["refused"]) == ("main", {})
    assert not [one for one in told["done"] if one.startswith("made")], told
    assert main(["unlink", "--delete-there", "--yes"]) == 0
    told = capsys.readouterr().out
    assert "deleted asset plant (" in told
    assert f"unlinked from {centre.url}; 2 links are forgotten" in told
    assert names(centre) == []


@pytest.mark.usefixtures("gateway")
def test_what_is_typed_at_a_terminal(
    centre: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {"name": "plant", "account_id": 1, "generic_asset_type_id": 5}
    assert centre.ask("POST", "/assets", centre.token(), json=there).ok
    monkeypatch.setattr("getpass.getpass", lambda _prompt: PASSWORD)

    def typed(*lines: str) -> None:
        monkeypatch.setattr("sys.stdin", Terminal("".join(f"{one}\n" for one in lines)))

    for lines in ([USER, ""], [USER, "b", "n"]):
        typed(*lines)
        assert main(["link", centre.url]) == 1
        assert "nothing was linked" in capsys.readouterr().err
    assert names(centre) == ["plant"]
    typed(USER, "b", "y")
    assert main(["link", centre.url]) == 0
    told = capsys.readouterr().out
    assert "? asset  plant  (it has the name" in told
    assert "1 to make (+), 1 with names that are taken (?)" in told
    assert names(centre) == ["plant", "plant (2)"]
    typed("n")
    assert main(["unlink"]) == 1
    typed("y", "something else")
    assert main(["unlink", "--delete-there"]) == 1
    assert names(centre) == ["plant", "plant (2)"]
    typed("y", centre.url)
    assert main(["unlink", "--delete-there"]) == 0
    assert names(centre) == ["plant"]
    assert PASSWORD not in told


def test_much_is_deleted_there_in_parts(
    gateway: Served, centre: Served, password: str, capsys: pytest.CaptureFixture[str]
) -> None:
    token = gateway.token()
    body = {"account_id": 1, "generic_asset_type_id": 5}
    made = [
        gateway.ask("POST", "/assets", token, json={"name": f"shed {number}", **body}).json()["id"]
        for number in range(9)
    ]
    try:
        words = ["link", centre.url, "--email", USER, "--password-file", password, "--yes"]
        assert main(words) == 0
        assert len(names(centre)) == 10
        capsys.readouterr()
        assert main(["unlink", "--delete-there", "--yes", "--json"]) == 0
    finally:
        for number in made:
            gateway.ask("DELETE", f"/assets/{number}", token).raise_for_status()
    told = json.loads(capsys.readouterr().out)
    assert (len(told["deleted"]), told["kept"], told["links"]) == (10, {}, 11)
    assert names(centre) == []


@pytest.mark.usefixtures("gateway")
def test_a_token_is_pasted(
    centre: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter(["", f" {centre.token()}\n", "", ""])
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(typed))
    monkeypatch.setattr("sys.stdin", Terminal(f"{USER}\n{USER}\n"))
    assert main(["link", centre.url, "--dry-run"]) == 0
    assert f"you are {USER} there" in capsys.readouterr().out
    assert main(["link", centre.url, "--dry-run"]) == 69
    assert "there is no token; type one, or give --token-file" in capsys.readouterr().err


@pytest.mark.usefixtures("gateway")
def test_a_token_of_a_file(
    centre: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").write_text(f"{centre.token()}\n")
    words = ["link", centre.url, "--token-file", str(tmp_path / "token"), "--email", USER]
    assert main([*words, "--dry-run", "--json", "--adopt", "--scopes", "readings"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["user"] == USER
    assert {one["thing"] for one in told["steps"]} == {"asset", "sensor"}


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["link", "{url}"], "There is no credential for it"),
        (["link", "ftp://x", "--email", USER], "is no address of a server"),
        (["link", "{url}", "--password-file", "{none}"], "give --email, too"),
        (["link", "{url}", "--email", USER, "--password-file", "{none}"], "cannot be read"),
        (["link", "{url}", "--email", USER, "--account", "x"], "no account 'x'; there are 1 (Toy"),
        (["link", "{url}", "--email", USER, "--account", "9", "--yes"], "There is no account 9"),
        (["link", "{url}", "--email", USER, "--scopes", "all", "--yes"], "scopes"),
        (["link", "{url}", "--email", USER, "--beside"], "give --yes where nobody can be asked"),
        (["link", "{url}", "--email", "a@b", "--yes"], "User password does not match."),
        (["unlink", "x"], "there is no centre 'x': this gateway is linked with none"),
    ],
)
def test_mistakes_are_told(
    centre: Served, tmp_path: Path, words: list[str], told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert main([one.format(url=centre.url, none=tmp_path / "none") for one in words]) == 69
    assert told in capsys.readouterr().err


def test_the_gateway_must_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEXEDGE_DATA_DIR", str(tmp_path))
    assert main(["link", "https://ems.example.com"]) == 69
    assert "is not running" in capsys.readouterr().err
