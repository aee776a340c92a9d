import json
from dataclasses import replace

import pytest

from flexedge.cli.main import main
from flexedge.gateway.view import CentreView
from tests.cli.conftest import STATUS, Site


def test_all_is_well(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.recover()
    assert main(["status"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Canal house 12  (flexedge 0.1.0)\ngrid      0.55 kW of 17.3 kW\n")
    assert "\nprice     0.135 EUR/kWh, feed-in 0.056 EUR/kWh\n" in printed
    assert "\nplan      fresh-plan, optimal, made 2026-04-21T11:18:07Z\n" in printed
    assert f"\n          {STATUS.plan.explanation[0]}\n" in printed
    assert "!" not in printed


def test_the_tables(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.recover()
    main(["status"])
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "asset type kW plan kW kWh told" in lines
    assert "battery battery 2.16 2.16 6.4 2.16 kW applied, verified" in lines
    assert "car one-way_evse 3.68 3.7 31.9 3.7 kW clamped by circuit limit, verified" in lines
    assert "solar solar -6.21 -6 - -" in lines
    assert "switch Washing machine plug ok 90 min ago 900 connection refused" in lines


def test_an_alarm_is_trouble(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.recover()
    site.state = replace(site.state, alarms=("the disk is full",))
    assert main(["status"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "! the disk is full"


def test_a_lost_device_is_trouble(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.state = replace(site.state, alarms=())
    assert main(["status"]) == 1
    assert "lost" in capsys.readouterr().out


def test_a_centre_has_a_line_and_may_be_trouble(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.recover()
    centre = CentreView(
        "main", "https://ems.example.com", "in step", well=True, reached=True, waiting=0, refused=0
    )
    site.state = replace(site.state, centres=(centre,))
    assert main(["status"]) == 0
    assert "\ncentre    main https://ems.example.com, in step\n" in capsys.readouterr().out
    site.state = replace(site.state, centres=(replace(centre, well=False),))
    assert main(["status"]) == 1


def test_a_gateway_that_knows_nothing_yet(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    plan = replace(STATUS.plan, made_at=None, status="no plan yet", explanation=())
    site.state = replace(
        STATUS, grid_kw=None, import_price=None, plan=plan, assets=(), devices=(), alarms=()
    )
    assert main(["status"]) == 0
    printed = capsys.readouterr().out
    assert "grid      - kW of" in printed
    assert "plan      fresh-plan, no plan yet, made never" in printed


def test_json(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json"]) == 1
    status = json.loads(capsys.readouterr().out)
    assert status["alarms"] == list(site.state.alarms)
    assert [device["name"] for device in status["devices"]] == [d.name for d in STATUS.devices]


@pytest.mark.usefixtures("folder")
def test_no_gateway(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 69
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("flexedge: the gateway of ")
    assert captured.err.endswith(" is not running\n")
