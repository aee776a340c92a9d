from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from flexedge.errors import RequestError
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
    assert state(site, browser) == {"claimed": False, "owner": False}
    browser = claim(site)
    assert state(site, browser) == {"claimed": True, "owner": True}
    assert browser.post(f"{site.url}/api/logout", json={}).status_code == 200
    assert state(site, browser) == {"claimed": True, "owner": False}
    answer = browser.post(f"{site.url}/api/login", json={"password": OTHER})
    assert answer.status_code == 401
    browser.post(f"{site.url}/api/login", json={"password": GOOD})
    assert state(site, browser) == {"claimed": True, "owner": True}


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


def test_status_chart_and_devices_are_the_windows_values(site: Site) -> None:
    owner = site.owner()
    status = owner.get(f"{site.url}/api/status").json()
    assert status["site"] == "Canal house 12"
    assert status["assets"][0]["control"]["outcome"] == "applied"
    assert status["plan"]["made_at"].endswith("Z")
    devices = owner.get(f"{site.url}/api/devices").json()
    assert [device["name"] for device in devices] == [d["name"] for d in status["devices"]]
    assert devices[2]["points"][2]["value"] is None
    chart = owner.get(f"{site.url}/api/chart").json()
    lengths = {len(chart["times"]), len(chart["import_price"]), len(chart["grid"]["planned"])}
    assert lengths == {288}


def test_beliefs_of_a_sensor(site: Site) -> None:
    owner = site.owner()
    path = f"{site.url}/api/beliefs"
    rows = owner.get(path, params={"sensor": "battery.power", **SPAN}).json()
    assert [row["value"] for row in rows] == [2.16, None]
    answer = owner.get(path, params={"sensor": "none", **SPAN})
    assert (answer.status_code, answer.json()["message"]) == (404, "there is no sensor 'none'")
    assert owner.get(path, params=SPAN).status_code == 422


def test_totals_of_a_span(site: Site) -> None:
    totals = site.owner().get(f"{site.url}/api/totals", params=SPAN).json()
    assert totals["energies_kwh"] == {"solar": -48.0}
    assert totals["setpoints"] == {"written": 9, "verified": 8, "clamped": 1, "refused": 0}
    assert totals["plans"] == {"count": 3, "infeasible": 0, "seconds_max": 0.4}


def test_spans_that_make_no_sense(site: Site) -> None:
    for start, end in (
        ("", SPAN["end"]),
        ("yesterday", SPAN["end"]),
        ("2026-04-21T00:00:00", SPAN["end"]),
        (SPAN["end"], SPAN["start"]),
        (SPAN["start"], SPAN["start"]),
        ("2026-03-01T00:00:00Z", SPAN["end"]),
    ):
        answer = site.owner().get(f"{site.url}/api/totals", params={"start": start, "end": end})
        assert answer.status_code == 422


def test_a_plus_that_nobody_quoted_is_understood(site: Site) -> None:
    span = "start=2026-04-21T00:00:00+02:00&end=2026-04-21T12:00:00+02:00"
    totals = site.owner().get(f"{site.url}/api/totals?{span}").json()
    assert totals["energies_kwh"] == {"solar": -24.0}


def test_what_the_window_refuses_keeps_its_status(site: Site) -> None:
    site.world.fault = RequestError(503, "not ready yet")
    answer = site.owner().get(f"{site.url}/api/status")
    assert (answer.status_code, answer.json()) == (503, {"message": "not ready yet"})


def events(stream: requests.Response, count: int) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    name = ""
    for line in stream.iter_lines(chunk_size=1, decode_unicode=True):
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((name, json.loads(line.removeprefix("data: "))))
            if len(found) == count:
                break
    return found


def test_live_events(site: Site) -> None:
    with site.owner().get(f"{site.url}/api/events", stream=True, timeout=5) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert [name for name, _ in events(stream, 3)] == ["status", "chart", "status"]


def test_a_stream_ends_with_the_session(site: Site) -> None:
    browser = site.owner()
    with browser.get(f"{site.url}/api/events", stream=True, timeout=5) as stream:
        events(stream, 1)
        site.access.sessions.close_all()
        assert sum(1 for _ in stream.iter_lines()) < 20
