"""FlexMeasures' API of the installed program: somebody is let in, reads, and overrides a device."""

from datetime import datetime, timedelta
from typing import Any

import requests

from hil.conftest import Bench, Benches
from hil.programs import run
from hil.waiting import eventually

EMAIL, PASSWORD = "anna@example.com", "a battery staple"
SUN = "1776160800"  # 14 April 2026, 12:00 in Amsterdam


class Anna:
    """A user of the site's account, made at the command line of the gateway that runs."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        arguments = ["add", "user", "--email", EMAIL, "--account-id", "1",
                     "--roles", "account-admin", "--password-file", "password"]  # fmt: skip
        (bench.gateway.folder / "password").write_text(PASSWORD + "\n", encoding="utf-8")
        done = run(arguments, bench.gateway.folder, bench.gateway.variables)
        assert done.returncode == 0, done.stderr
        self.token = ""
        self.token = self.ask("POST", "/api/requestAuthToken", body={
            "email": EMAIL, "password": PASSWORD})["auth_token"]  # fmt: skip

    def ask(self, method: str, path: str, status: int = 200, body: Any = None, **query: str) -> Any:
        """The JSON answer, which has this status."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                method, self._bench.gateway.api.runtime["url"] + path, params=query, json=body,
                headers={"Authorization": self.token} if self.token else {}, timeout=20,
            )  # fmt: skip
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


def reason(bench: Bench) -> str:
    """Why the battery is told what it is told."""
    told = bench.gateway.api.get("/api/v3_0/gateway/setpoints")
    return str(next(one["reason"] for one in told if one["asset"] == "battery"))


def overridden(bench: Bench, power_kw: float) -> None:
    """Fails unless the battery was told this by hand, and shows it."""
    control = bench.gateway.api.obeyed("battery")
    assert control["setpoint_kw"] == power_kw, control
    assert f"override by {EMAIL.partition('@')[0]}" in reason(bench).lower()


def planned(bench: Bench) -> None:
    """Fails while the battery is told anything by hand."""
    bench.gateway.api.obeyed("battery")
    assert "override" not in reason(bench)


def test_a_user_reads_the_site_and_overrides_a_device_until_a_time(benches: Benches) -> None:
    bench = benches("--speed", "4", "--start", SUN)
    api = bench.gateway.api
    bench.gateway.start_up()
    anna = Anna(bench)
    assets = {one["name"]: one for one in anna.ask("GET", "/api/v3_0/assets")}
    assert {"battery", "solar", "car", "heating"} <= assets.keys()
    number = assets["battery"]["id"]
    told = anna.ask("DELETE", f"/api/v3_0/assets/{number}", 403)["message"]
    assert "site file" in told

    until = api.now() + timedelta(minutes=30)
    asked = {"asset": "battery", "action": "charge", "power": "1 kW", "until": until.isoformat()}
    made = anna.ask("POST", "/api/v3_0/gateway/overrides", 201, asked)
    eventually(lambda: overridden(bench, 1.0), within_s=30)
    bench.gateway.crash()
    bench.gateway.start_up()
    eventually(lambda: overridden(bench, 1.0), within_s=60)  # it has not ended yet
    anna.ask("DELETE", f"/api/v3_0/gateway/overrides/{made['id']}", 204)
    eventually(lambda: planned(bench), within_s=30)

    soon = api.now() + timedelta(seconds=40)
    anna.ask("POST", "/api/v3_0/gateway/overrides", 201, asked | {"until": soon.isoformat()})
    eventually(lambda: overridden(bench, 1.0), within_s=30)
    eventually(lambda: planned(bench), within_s=60)
    assert datetime.fromisoformat(api.status()["now"]) >= soon
    assert api.errors() == 0
