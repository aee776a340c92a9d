import stat
from pathlib import Path

import pytest
import requests

from tests.api.served import Served


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path / "data")


def test_it_serves_without_a_site_and_ends_in_order(served: Served) -> None:
    runtime = served.folder / "runtime.json"
    with served:
        assert stat.S_IMODE(runtime.stat().st_mode) == 0o600
        assert requests.get(f"{served.url}/health", timeout=10).json() == {"status": "ok"}
        ready = requests.get(f"{served.url}/api/v3_0/health/ready", timeout=10)
        assert (ready.status_code, ready.json()["database_sql"]) == (200, True)
        assert requests.get(f"{served.url}/api/status", timeout=10).status_code == 404
    assert served.process.returncode == 0
    assert not runtime.exists()


def test_a_second_one_on_the_same_data_says_so(served: Served) -> None:
    with served, pytest.raises(AssertionError, match="is in use by another flexedge"):
        Served(served.folder).__enter__()


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AssertionError, match="choose another data-dir"):
        Served(tmp_path / "file" / "data").__enter__()


def test_what_was_kept_is_there_again(served: Served) -> None:
    with served:
        pass
    served.people()
    with served:
        token = served.token()
        assert served.ask("GET", "/accounts/1", token).json()["name"] == "Toy Account"
