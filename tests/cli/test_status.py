import json
from typing import TYPE_CHECKING, Any

import pytest

from flexedge.cli import status
from flexedge.cli.output import text

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run, Running


def test_people_see_grid_prices_plan_assets_devices_and_alarms(
    run: "Run", running: "Running"
) -> None:
    running.gateway.health.alarm("store", "the disk is full")
    ran = run("status")
    running.gateway.health.alarm("store", "")
    assert (ran.code, ran.err) == (1, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("Home  (flexedge ")
    assert lines[1] == "grid      2.5 kW of 15 kW"
    assert lines[2] == "price     0.29 EUR/kWh, feed-in 0.08 EUR/kWh"
    assert lines[3].startswith("plan      fresh-plan, optimal, made 2026-04-14T10:05:00")
    table = {line.split()[0]: line.split() for line in lines if line and line[0].isalpha()}
    assert table["battery"][1:3] == ["battery", "1.25"]
    assert table["house"][1:] == ["building", "-", "-", "-", "-"]
    assert table["hybrid"][-5:] == ["0", "s", "ago", "0", "-"]
    assert table["inverter"][-4:] == ["never", "1", "no", "answer"]
    assert lines[-1] == "! the disk is full"


def test_what_an_asset_was_told_is_shown(run: "Run", running: "Running") -> None:
    setpoint = running.gateway.dispatcher.held("battery").setpoint
    assert setpoint is not None
    told = next(line for line in run("status").out.splitlines() if line.startswith("battery"))
    assert told.endswith(f"  {text(setpoint.power_kw)} kW applied")


@pytest.mark.parametrize(
    ("control", "told"),
    [
        (None, "-"),
        ({"setpoint_kw": None, "outcome": "released"}, "released"),
        ({"setpoint_kw": 0.0, "outcome": "applied", "verified": True}, "0 kW applied, verified"),
        (
            {"setpoint_kw": 2.5, "outcome": "clamped", "clamped_by": ["ramp", "site limit"]},
            "2.5 kW clamped by ramp, site limit",
        ),
    ],
)
def test_a_control_in_words(control: dict[str, Any] | None, told: str) -> None:
    plain = {"clamped_by": [], "verified": False}
    assert status._told(None if control is None else plain | control) == told


def test_all_well_is_exit_code_0_and_programs_read_json(run: "Run", running: "Running") -> None:
    ran = run("status", "--json")
    content = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, "")
    assert content["site"] == "Home"
    assert len(content["assets"]) == 5
    assert content["alarms"] == []
    running.gateway.health.alarm("plan", "no new plan")
    assert run("status", "--json").code == 1
    running.gateway.health.alarm("plan", "")


def test_without_a_gateway_it_says_so(run: "Run", folder: "Path") -> None:
    ran = run("status")
    assert (ran.code, ran.out) == (69, "")
    assert ran.err == f"flexedge: the gateway of {folder} is not running\n"
