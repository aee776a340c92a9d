from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flexedge.errors import RequestError

if TYPE_CHECKING:
    import requests

    from tests.web.conftest import Site

SPAN = {"start": "2026-04-21T00:00:00Z", "end": "2026-04-22T00:00:00Z"}


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
