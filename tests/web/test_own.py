from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flexedge.web.sessions import IDLE

if TYPE_CHECKING:
    import requests

    from tests.web.conftest import Site

GOOD, OTHER = "correct horse battery", "another good secret"
SPAN = {"start": "2026-04-21T00:00:00Z", "end": "2026-04-22T00:00:00Z"}


def claim(site: Site) -> requests.Session:
    browser = site.browser()
    body = {"code": site.access.claim_code, "password": GOOD}
    answer = browser.post(f"{site.url}/api/claim", json=body)
    assert answer.status_code == 200, answer.text
    return browser


def state(site: Site, browser: requests.Session) -> dict[str, bool]:
    answer: dict[str, bool] = browser.get(f"{site.url}/api/session").json()
    return answer


def test_from_claim_to_logout_to_login(site: Site) -> None:
    browser = site.browser()
    assert state(site, browser) == {"claimed": False, "owner": False, "user": None}
    browser = claim(site)
    assert state(site, browser) == {"claimed": True, "owner": True, "user": None}
    assert browser.post(f"{site.url}/api/logout", json={}).status_code == 200
    assert state(site, browser) == {"claimed": True, "owner": False, "user": None}
    answer = browser.post(f"{site.url}/api/login", json={"password": OTHER})
    assert answer.status_code == 401
    browser.post(f"{site.url}/api/login", json={"password": GOOD})
    assert state(site, browser) == {"claimed": True, "owner": True, "user": None}


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(site: Site) -> None:
    body = {"code": site.access.claim_code, "password": GOOD}
    answer = site.browser().post(f"{site.url}/api/claim", json=body)
    cookie = answer.headers["Set-Cookie"].lower()
    for part in ("httponly", "samesite=strict", "path=/", "max-age=2592000"):
        assert part in cookie
    assert "secure" not in cookie  # the page is served without TLS here
    assert "domain" not in cookie


def test_logout_ends_the_session_itself_not_only_the_cookie(site: Site) -> None:
    browser = claim(site)
    cookies = browser.cookies.copy()
    browser.post(f"{site.url}/api/logout", json={})
    thief = site.browser()
    thief.cookies = cookies
    assert state(site, thief)["owner"] is False


def test_login_renews_the_session(site: Site) -> None:
    browser = claim(site)
    before = dict(browser.cookies)
    old = site.browser()
    old.cookies.update(before)
    browser.post(f"{site.url}/api/login", json={"password": GOOD})
    assert dict(browser.cookies) != before
    assert state(site, old)["owner"] is False


def test_changing_the_password_logs_other_browsers_out(site: Site) -> None:
    browser, other = claim(site), site.browser()
    other.post(f"{site.url}/api/login", json={"password": GOOD})
    path = f"{site.url}/api/password"
    assert browser.post(path, json={"new": OTHER}).status_code == 422
    assert browser.post(path, json={"old": OTHER, "new": OTHER}).status_code == 401
    assert browser.post(path, json={"old": GOOD, "new": "short"}).status_code == 422
    assert browser.post(path, json={"old": GOOD, "new": OTHER}).status_code == 200
    assert state(site, browser)["owner"] is True
    assert state(site, other)["owner"] is False


def test_programs_on_the_box_reset_a_forgotten_password(site: Site) -> None:
    claim(site)
    assert site.program().post(f"{site.url}/api/password", json={"new": OTHER}).status_code == 200
    answer = site.browser().post(f"{site.url}/api/login", json={"password": OTHER})
    assert answer.status_code == 200


def test_a_session_falls_idle(site: Site) -> None:
    browser = claim(site)
    site.clock.now += IDLE + timedelta(seconds=1)
    assert browser.get(f"{site.url}/api/status").status_code == 401


def test_guesses_are_slowed_down(site: Site) -> None:
    claim(site)
    browser = site.browser()
    codes = [
        browser.post(f"{site.url}/api/login", json={"password": OTHER}).status_code
        for _ in range(11)
    ]
    assert codes == [401] * 10 + [429]
    answer = browser.post(f"{site.url}/api/login", json={"password": GOOD})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_a_ticket_opens_the_page_with_one_click_and_again(site: Site) -> None:
    answer = site.program().post(f"{site.url}/api/tickets", json={})
    url = answer.json()["url"]
    assert url.startswith(f"{site.url}/open?ticket=")
    for _ in range(2):
        browser = site.browser()
        opened = browser.get(url, allow_redirects=False)
        assert (opened.status_code, opened.headers["Location"]) == (303, "/")
        assert browser.get(f"{site.url}/api/status").status_code == 200
    site.clock.now += timedelta(hours=24)
    assert site.browser().get(url).status_code == 401


def test_bodies_that_are_not_understood(site: Site) -> None:
    for body in ("", "[]", "{", '{"password": 5}', '{"password": "x", "y": 1}'):
        answer = site.browser().post(
            f"{site.url}/api/login", data=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422
        assert answer.json()["message"].startswith("Not understood: ")
