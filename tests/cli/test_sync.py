import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from flexedge.cli.main import main
from flexedge.cli.sync import show
from flexedge.cloud.pace import Pace
from flexedge.domain.asset import Sensor
from flexedge.gateway.health import Health
from flexedge.gateway.sync.lags import Lag
from flexedge.gateway.sync.sync import Standing, Sync
from flexedge.gateway.sync.told import NOT_LINKED, stands_of
from flexedge.store.state import State
from flexedge.store.tables.centres import Link, Unwanted
from flexedge.web.api.parts import Parts
from flexedge.wire.sync import SyncTold, VetoTold
from tests.cli.conftest import NOW
from tests.gateway.sync.duties import ALONE, MAIN

LINKED = replace(MAIN, linked=NOW - timedelta(days=3))
MINUTE = timedelta(minutes=1)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def stands(state: State, standing: Standing, lags: Sequence[Lag]) -> dict[str, Any]:
    """What the gateway tells of a centre that stands so."""
    sync = Sync(ALONE, (), Pace(120, Random(1)), Health())  # noqa: S311 (chance, no secret)
    sync.standing, sync.lags = standing, lambda _now: lags
    one = stands_of(state, 1, LINKED, sync, NOW)
    veto = VetoTold(since=NOW - 2 * MINUTE, who="hans")
    told: dict[str, Any] = SyncTold(
        now=NOW, linked=True, message="", veto=veto, centres=(one,)
    ).model_dump(mode="json")
    return told


@pytest.mark.usefixtures("site")
def test_a_gateway_without_a_centre_says_so_and_is_well(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sync", "status"]) == 0
    assert capsys.readouterr().out == f"{NOT_LINKED}\n"
    assert main(["sync", "now"]) == 1
    assert capsys.readouterr().out == f"{NOT_LINKED}\n"


@pytest.mark.usefixtures("site")
def test_what_is_linked_is_told_in_words_and_in_json(
    parts: Parts, capsys: pytest.CaptureFixture[str]
) -> None:
    parts.state.centres.add(LINKED)
    assert main(["sync", "status"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("main https://ems.example.com linked 3 d ago, nothing is done with it")
    assert second == "  answered never, next now; 0 requests, 0 kB sent"
    assert main(["sync", "status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told["centres"]] == ["main"]


def test_what_waits_is_told_by_sensor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = State(tmp_path / "state.db")
    number = state.centres.add(LINKED)
    links = [
        state.links.add(Link(number, "sensor", state.sensor_id(Sensor(name, "kW")), 9, role))
        for name, role in (("battery.power", ""), ("solar.power", "forecast"))
    ]
    standing = Standing(
        "in-touch", NOW - MINUTE, "", NOW, NOW + 3 * MINUTE, requests=12, sent=34_000
    )
    lags = [
        Lag(links[0], NOW, NOW - 20 * MINUTE, 4),
        Lag(links[1], NOW + 120 * MINUTE, NOW + 120 * MINUTE),
    ]
    told = stands(state, standing, lags)
    show(told, every=False)
    assert lines(capsys) == [
        "! hans lets nothing that centres ask for take effect here (2 min ago)",
        "main https://ems.example.com linked 3 d ago, 20 min behind; 4 values to come",
        "answered 0 s ago, next in 3 min; 12 requests, 34 kB sent",
        "sensor what newest here there to come why not",
        "battery.power measured 0 s ago 20 min ago 4 -",
    ]
    show(told, every=True)
    assert lines(capsys)[-1] == "solar.power forecast 2 h ahead 2 h ahead 0 -"
    state.close()


@pytest.mark.usefixtures("site")
def test_what_was_refused_is_trouble(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    state = parts.state
    number = state.centres.add(LINKED)
    link = state.links.add(Link(number, "sensor", 1, 9))
    state.unwanted.add(Unwanted(number, link, NOW, 422, "BAD", "no such unit", {}))
    assert main(["sync", "status"]) == 1
    assert "1 refused" in capsys.readouterr().out


@pytest.mark.usefixtures("site")
def test_a_veto_can_be_put_in_force_and_lifted(
    parts: Parts, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sync", "veto", "on"]) == 0
    assert "Nothing that centres ask for takes effect" in capsys.readouterr().out
    assert main(["sync", "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["veto"]["who"] == "local program"
    main(["sync", "veto", "off"])
    assert parts.state.fact("gateway.veto") is None
