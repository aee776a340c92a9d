import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from tests.cli.conftest import Run, Running


def test_the_code_is_that_which_the_page_wants(run: "Run", running: "Running") -> None:
    ran = run("claim")
    assert ran.code == 0
    assert ran.out == f"{running.access.claim_code}\n"
    assert json.loads(run("claim", "--json").out) == {"code": running.access.claim_code}


def test_a_link_opens_the_page(run: "Run", running: "Running") -> None:
    ran = run("claim", "--link")
    assert ran.code == 0
    url = ran.out.strip()
    assert url.startswith(running.server.url)
    with requests.Session() as browser:
        browser.trust_env = False
        assert browser.get(url, timeout=10).status_code == 200
        assert browser.cookies
    assert json.loads(run("claim", "--link", "--json").out)["url"].startswith(running.server.url)


def test_with_an_owner_there_is_no_code(run: "Run", folder: Path) -> None:
    assert list(folder.iterdir()) == []
    ran = run("claim")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "there is no code: the gateway has an owner, or was never started\n"


def test_without_a_gateway_there_is_no_link(run: "Run", folder: Path) -> None:
    ran = run("claim", "--link")
    assert ran.code == 69
    assert ran.err == f"flexedge: the gateway of {folder} is not running\n"


@pytest.mark.parametrize("arguments", [("claim",), ("claim", "--link")])
def test_what_belongs_to_somebody_else_may_not_be_read(
    run: "Run", folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    read = Path.read_text

    def refuse(path: Path, *arguments: str | None, **more: str | None) -> str:
        """The file system, to a user who is not root."""
        if path.parent == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *arguments, **more)

    monkeypatch.setattr(Path, "read_text", refuse)
    ran = run(*arguments)
    assert ran.code in (1, 69)
    assert "may only be read by its owner; try with sudo" in ran.err
