import json
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run, Running


def test_beliefs_of_the_hours_around_now(run: "Run", running: "Running") -> None:
    ran = run("show", "beliefs", "battery.power")
    assert (ran.code, ran.err) == (0, "")
    head, *rows = ran.out.splitlines()
    assert head.split() == ["event", "believed", "at", "source", "value"]
    sources = [row.split()[2] for row in rows]
    assert sources.count("reading") == 1
    assert sources.count("flexedge") == 5  # from 10:00 to 11:00
    assert running.gateway.plant.site.site.name == "Home"


def test_beliefs_of_a_span_as_json(run: "Run", running: "Running") -> None:
    span = ("--start", "2026-04-14T10:00+00:00", "--end", "2026-04-14T10:30+00:00")
    rows = json.loads(run("show", "beliefs", "battery.power", *span, "--json").out)
    assert [row["source"] for row in rows] == ["flexedge", "reading", "flexedge"]
    assert rows[1]["value"] == 1.25
    assert run("show", "beliefs", "battery.power", "--start", "2026-04-15").code == 69
    assert running.gateway.health.counts.errors == 0


def test_what_cannot_be_shown_is_said(run: "Run", running: "Running") -> None:
    ran = run("show", "beliefs", "battery.powr")
    assert ran.code == 69
    assert ran.err.startswith("flexedge: there is no sensor 'battery.powr'; there are ")
    ran = run("show", "beliefs", "battery.power", "--start", "noon")
    assert ran.err == "flexedge: 'noon' is not a time; write it as 2026-04-14T12:00\n"
    ran = run("show", "schedule", "pool")
    known = "grid, battery, solar, car, heating, house"
    assert ran.err == f"flexedge: there is no 'pool'; there are {known}\n"
    assert running.gateway.health.counts.errors == 0


def test_the_schedule_from_the_present_step_on(run: "Run", running: "Running") -> None:
    ran = run("show", "schedule")
    assert ran.code == 0
    head, *rows = ran.out.splitlines()
    assert head.split()[:2] == ["start", "EUR/kWh"]
    assert [name for name in head.split()[2:] if name != "kW"] == [
        "grid", "battery", "solar", "car", "heating", "house",
    ]  # fmt: skip
    assert rows[0].split()[0] == "2026-04-14T10:00:00Z"
    plan = running.gateway.planner.in_force(datetime.fromisoformat("2026-04-14T10:05+00:00"))[1]
    assert plan is not None
    assert len(rows) == plan.grid_kw.grid.n


def test_the_schedule_of_one_asset_as_json(run: "Run", running: "Running") -> None:
    steps = json.loads(run("show", "schedule", "battery", "--json").out)
    assert set(steps[0]) == {"start", "import_price", "battery"}
    assert steps[0]["import_price"] == 0.29
    assert all(step["battery"] is not None for step in steps)
    assert running.gateway.health.counts.errors == 0


def test_devices_with_all_their_points(run: "Run", running: "Running") -> None:
    ran = run("show", "devices")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert "hybrid (FoxESS H3 hybrid inverter) ok" in lines
    assert any(
        line.startswith("inverter (SunSpec") and line.endswith("starting: no answer")
        for line in lines
    )
    soc = next(line for line in lines if line.startswith("  battery.soc"))
    assert soc.split() == ["battery.soc", "50", "%", "good", "0", "s", "ago"]
    never = next(line for line in lines if line.startswith("  solar.power"))
    assert never.split()[-1] == "never"
    devices = json.loads(run("show", "devices", "--json").out)
    assert [device["name"] for device in devices] == list(running.gateway.plant.site.devices)


def test_without_a_gateway_there_is_nothing_to_show(run: "Run", folder: "Path") -> None:
    for what in (("devices",), ("schedule",), ("beliefs", "battery.power")):
        ran = run("show", *what)
        assert ran.code == 69
        assert ran.err == f"flexedge: the gateway of {folder} is not running\n"
