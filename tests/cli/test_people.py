import io
import json
from pathlib import Path

import pytest

from flexedge.cli.main import main
from flexedge.store import lock
from flexedge.web.api.parts import Parts
from tests.cli.conftest import Site


@pytest.mark.usefixtures("site")
def test_a_gateway_that_runs_is_asked(
    folder: Path,
    parts: Parts,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("seven tall birches\n"))
    with lock.hold(folder):
        assert main(["add", "account", "Home"]) == 0
        assert main(["add", "user", "--email", "a@b", "--account", "Home", "--roles", "admin"]) == 0
        assert main(["add", "account", "Home"]) == 69
        assert main(["show", "users", "--json"]) == 0
    told = capsys.readouterr()
    assert "An account with name 'Home' already exists." in told.err
    (user,) = json.loads(told.out.partition("user 1: a@b\n")[2])
    assert user["flexmeasures_roles"] == ["admin"]
    assert parts.state.users.all()[1].password_hash is not None


def test_a_folder_in_use_by_one_that_cannot_be_asked_is_left(
    folder: Path, capsys: pytest.CaptureFixture[str], site: Site
) -> None:
    del site
    (folder / "runtime.json").unlink()
    with lock.hold(folder):
        assert main(["show", "accounts"]) == 75
    assert "cannot be asked" in capsys.readouterr().err
