"""Who may see the site: nobody before it has an owner, and only the owner afterwards."""

import requests

from hil.conftest import Benches
from hil.programs import run
from hil.waiting import eventually

OF_THE_SITE = ("Test bench", "battery", "charger", "kW")
PRIVATE = ("/api/status", "/api/devices", "/api/chart", "/api/beliefs", "/api/totals",
           "/api/events")  # fmt: skip
PASSWORD = "correct horse battery"  # noqa: S105 (of a gateway that lives for a few seconds)


def visitor(url: str) -> requests.Session:
    """Somebody with a browser."""
    session = requests.Session()
    session.trust_env = False
    session.headers.update({"Origin": url, "Sec-Fetch-Site": "same-origin"})
    return session


def test_an_unclaimed_gateway_shows_nothing_until_the_code_is_told(benches: Benches) -> None:
    gateway = benches().gateway
    gateway.start()
    eventually(gateway.api.status, within_s=30)
    url = gateway.api.runtime["url"]
    with visitor(url) as stranger:
        page = stranger.get(url, timeout=5)
        assert page.status_code == 200
        assert not [word for word in OF_THE_SITE if word in page.text]
        assert [stranger.get(url + path, timeout=5).status_code for path in PRIVATE] == [401] * 6
        guess = {"code": "0000-0000", "password": PASSWORD}
        assert stranger.post(url + "/api/claim", json=guess, timeout=5).status_code == 401

    claim = run(["claim"], gateway.folder, gateway.variables)
    assert claim.returncode == 0, claim.stderr
    assert claim.stdout.strip() in gateway.program.said()  # the log tells it, too
    with visitor(url) as owner:
        secret = {"code": claim.stdout.strip(), "password": PASSWORD}
        assert owner.post(url + "/api/claim", json=secret, timeout=5).ok
        assert owner.get(url + "/api/status", timeout=5).json()["site"] == "Test bench"

    with visitor(url) as late:  # the code is used up, the password holds
        assert late.post(url + "/api/claim", json=secret, timeout=5).status_code == 409
        assert late.get(url + "/api/status", timeout=5).status_code == 401
        assert late.post(url + "/api/login", json={"password": PASSWORD}, timeout=5).ok
        assert late.get(url + "/api/status", timeout=5).ok
    assert run(["claim"], gateway.folder, gateway.variables).returncode == 1
    assert PASSWORD not in gateway.program.said()
