import json
from datetime import UTC, datetime, timedelta

import pytest

from flexedge.cli.main import main
from tests.cli.conftest import NOW, STATUS, Site

HOUR = timedelta(hours=1)


def test_beliefs_from_an_hour_ago_to_an_hour_ahead(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "beliefs", "battery.power"]) == 0
    assert site.asked == (NOW - HOUR, NOW + HOUR)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["event", "believed", "at", "source", "value"],
        ["2026-04-21T11:05:07Z", "2026-04-21T11:20:07Z", "hybrid", "2.16"],
        ["2026-04-21T11:35:07Z", "2026-04-21T11:20:07Z", "flexedge", "-"],
    ]


def test_beliefs_of_a_span(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    span = ["--start", "2026-04-21T13:30+02:00", "--end", "2026-04-21T12:00Z"]
    assert main(["show", "beliefs", "battery.power", "--json", *span]) == 0
    assert site.asked == (
        datetime(2026, 4, 21, 11, 30, tzinfo=UTC),
        datetime(2026, 4, 21, 12, tzinfo=UTC),
    )
    rows = json.loads(capsys.readouterr().out)
    assert [(row["source"], row["value"]) for row in rows] == [("flexedge", None)]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["beliefs", "nothing.power"], "There is no sensor 'nothing.power'."),
        (["beliefs", "battery.power", "--start", "noon"],
         "'noon' is not a time; write it as 2026-04-14T12:00"),
        (["schedule", "car"], "there is no 'car'; there are grid, battery"),
    ],
)  # fmt: skip
def test_what_is_not_there(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", *arguments]) == 69
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"flexedge: {said}\n")


@pytest.mark.usefixtures("site")
def test_the_schedule_begins_with_the_present_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "schedule"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["start", "EUR/kWh", "grid", "kW", "battery", "kW"],
        ["2026-04-21T11:15:00Z", "0.22", "2.5", "-2"],
        ["2026-04-21T11:30:00Z", "0.23", "3.5", "-3"],
        ["2026-04-21T11:45:00Z", "-", "4.5", "-"],
    ]


@pytest.mark.usefixtures("site")
def test_the_schedule_of_one_asset(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "schedule", "battery", "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)
    assert [step["battery"] for step in steps] == [-2.0, -3.0, None]
    assert steps[0] == {"start": "2026-04-21T11:15:00Z", "import_price": 0.22, "battery": -2.0}


@pytest.mark.usefixtures("site")
def test_devices(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "devices"]) == 0
    printed = capsys.readouterr().out
    assert "\nheat-pump (Heat pump) stale: no answer within 2 s\n" in printed
    lines = [line.split() for line in printed.splitlines()]
    assert ["inverter.battery.power", "2.16", "kW", "good", "0", "s", "ago"] in lines
    assert ["charger.ev.soc", "-", "%", "missing", "never"] in lines


@pytest.mark.usefixtures("site")
def test_devices_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "devices", "--json"]) == 0
    devices = json.loads(capsys.readouterr().out)
    assert [(d["name"], len(d["points"])) for d in devices] == [
        (d.name, len(d.points)) for d in STATUS.devices
    ]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("what", [["devices"], ["schedule"], ["beliefs", "battery.power"]])
def test_no_gateway(what: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", *what]) == 69
    assert "is not running" in capsys.readouterr().err
