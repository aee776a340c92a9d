from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from flexedge.web.pages import STATIC

if TYPE_CHECKING:
    from tests.web.conftest import Site


def claim(site: Site) -> None:
    answer = site.browser().post(
        f"{site.url}/api/claim",
        json={"code": site.access.claim_code, "password": "correct horse"},
    )
    assert answer.status_code == 200


def test_each_visitor_gets_their_page(site: Site) -> None:
    assert "Claim code" in site.browser().get(site.url).text
    assert 'id="flow"' in site.owner().get(site.url).text
    claim(site)
    login = site.browser().get(site.url).text
    assert "Log in" in login
    assert "Claim code" not in login


def test_the_claim_page_ends_with_the_claim(site: Site) -> None:
    owner = site.owner()  # with a link, but without a password yet
    assert "Claim code" in owner.get(f"{site.url}/claim").text
    claim(site)
    answer = owner.get(f"{site.url}/claim", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_pages_follow_their_own_policy_and_name_only_what_exists(site: Site) -> None:
    for html in (site.browser().get(site.url).text, site.owner().get(site.url).text):
        assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:", html)
        assert not re.search(r"<script(?![^>]*\ssrc=)", html)
        for link in re.findall(r'(?:src|href)="(/[^"]+)"', html):
            assert site.browser().get(site.url + link).status_code == 200


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path in STATIC.rglob("*"):
        if path.suffix in {".js", ".css", ".svg"} and "vendor" not in path.parts:
            text = path.read_text().replace("http://www.w3.org/", "")
            assert "http:" not in text, path
            assert "https:" not in text, path


@pytest.mark.parametrize("script", sorted(p.name for p in (STATIC / "js").iterdir()))
def test_modules_import_what_is_exported(script: str) -> None:
    text = (STATIC / "js" / script).read_text()
    for names, module in re.findall(r'import \{([^}]+)\} from "\./([^"]+)"', text):
        exported = (STATIC / "js" / module).read_text()
        for name in names.split(","):
            assert re.search(rf"export (async )?(function|const|class) {name.strip()}\b", exported)
