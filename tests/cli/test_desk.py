from pathlib import Path

import pytest

from flexedge.cli.desk import LocalDesk, opened
from flexedge.config.settings import Settings
from flexedge.errors import FlexedgeError, StoreLocked

ACCOUNTS = "/api/v3_0/accounts"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", site=tmp_path / "site.yaml")


def test_the_operations_answer_as_over_the_network(settings: Settings) -> None:
    with opened(settings) as desk:
        here = LocalDesk(desk)
        made = here.send("POST", ACCOUNTS, body={"name": "Home"})
        assert here.send("GET", f"{ACCOUNTS}/1") == made | {"status": 200}
        assert here.send("DELETE", f"{ACCOUNTS}/1") is None
        for method, path, body, told in (
            ("POST", ACCOUNTS, {"name": " "}, "name: Account name cannot be empty."),
            ("GET", f"{ACCOUNTS}/1", None, "there is no account 1"),
            ("GET", "/api/v3_0/assets", None, "GET /api/v3_0/assets needs a gateway that runs"),
        ):
            with pytest.raises(FlexedgeError, match=told):
                here.send(method, path, body=body)


def test_one_at_a_time(settings: Settings) -> None:
    with opened(settings), pytest.raises(StoreLocked), opened(settings):
        pass


def test_the_sites_account_comes_first(settings: Settings) -> None:
    settings.site.write_text("site: x\n")
    with pytest.raises(FlexedgeError, match="its first account is the site's"), opened(settings):
        pass
