import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from flexedge.cli.main import main
from flexedge.web.auth import Access
from tests.cli.conftest import Site


def test_the_code_that_makes_an_owner(access: Access, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claim"]) == 0
    code = capsys.readouterr().out.removesuffix("\n")
    assert code == access.claim_code
    assert access.claim(code, "correct horse battery", "127.0.0.1")
    assert access.claimed
    assert main(["claim"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "there is no code: the gateway has an owner, or was never started\n"


def test_the_code_as_json(access: Access, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claim", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"code": access.claim_code}


AS_NOBODY = """
import os
import sys
from flexedge.cli import claim, client, main
if os.geteuid() == 0:
    os.setuid(65534)
sys.exit(main.main(["claim"]))
"""


def test_a_code_of_another_user(access: Access, folder: Path) -> None:
    assert access.claim_code is not None
    (folder / "claim-code").chmod(0)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY],
        env=os.environ | {"FLEXEDGE_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "try with sudo" in done.stderr


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("as_json", [False, True])
def test_a_link_that_opens_the_page(capsys: pytest.CaptureFixture[str], *, as_json: bool) -> None:
    assert main(["claim", "--link", *(["--json"] if as_json else [])]) == 0
    printed = capsys.readouterr().out
    link = json.loads(printed)["url"] if as_json else printed.strip()
    with requests.Session() as browser:
        browser.trust_env = False
        page = browser.get(link, timeout=5, allow_redirects=False)
        assert page.status_code == 303
        base = link.partition("/open")[0]
        assert browser.get(f"{base}/api/session", timeout=5).json()["owner"] is True


def test_no_link_without_a_gateway(
    site: Site, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site.state.site
    (folder / "runtime.json").unlink()
    assert main(["claim", "--link"]) == 69
    assert "is not running" in capsys.readouterr().err
