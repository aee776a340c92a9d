from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

from flexedge.web.routes import authorization, cookie_name

if TYPE_CHECKING:
    from tests.web.conftest import Site

FORM = "application/x-www-form-urlencoded"


def test_what_a_foreign_form_could_send_is_refused(site: Site) -> None:
    for kind in (FORM, "text/plain", None):
        headers = {"Content-Type": kind}
        answer = site.owner().post(f"{site.url}/api/logout", data="{}", headers=headers)
        assert answer.status_code == 415


def test_other_sites_cannot_act_with_the_owners_cookie(site: Site) -> None:
    owner = site.owner()
    foreign: list[dict[str, str | None]] = [
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": None, "Sec-Fetch-Site": None},
    ]
    for headers in foreign:
        answer = owner.post(f"{site.url}/api/logout", json={}, headers=headers)
        assert answer.status_code == 403
    assert owner.get(f"{site.url}/api/session").json()["owner"] is True


def test_other_sites_cannot_even_guess(site: Site) -> None:
    answer = site.browser().post(
        f"{site.url}/api/login", json={"password": "x"}, headers={"Origin": "http://evil.example"}
    )
    assert answer.status_code == 403


def test_programs_need_no_origin(site: Site) -> None:
    assert site.program().post(f"{site.url}/api/tickets", json={}).status_code == 200


def test_a_wrong_local_token_is_nobody(site: Site) -> None:
    session = site.owner()
    session.headers["Authorization"] = "Bearer wrong"
    assert session.get(f"{site.url}/api/status").status_code == 401


def request(**scope: object) -> Request:
    return Request({"type": "http", "headers": [], **scope})


def test_cookies_of_two_gateways_on_one_host_differ() -> None:
    assert cookie_name(request(server=("127.0.0.1", 8080))) == "flexedge-8080"
    assert cookie_name(request(server=("127.0.0.1", 8081))) == "flexedge-8081"


def test_the_header_is_found_as_it_is() -> None:
    assert authorization(request(headers=[(b"authorization", b"bearer  abc")])) == "bearer  abc"
    assert authorization(request()) is None
