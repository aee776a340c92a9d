import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.api.exchanges import Player, found
from tests.api.moment import at
from tests.api.served import ADMIN, PASSWORD, USER, Served

FILE = found()
THEN = datetime(2026, 11, 22, 7, 6, tzinfo=UTC)
"""When the exchanges were recorded."""
EXPECTED = {
    47: "an infeasible request's job says which fields are at fault",
    73: "another forecaster",
    74: "another forecaster",
    67: "a trigger without a flex-model plans what is stored, where FlexMeasures fails with 500",
}
"""Exchanges whose values differ on purpose, and why."""


def toy(served: Served) -> None:
    """The assets and sensors that were there when the exchanges were recorded."""
    token = served.token(ADMIN)

    def asset(name: str, kind: int, **more: object) -> int:
        place = {"latitude": 52.374, "longitude": 4.88969, "account_id": 1}
        body = place | {"name": name, "generic_asset_type_id": kind} | more
        answer = served.ask("POST", "/assets", token, json=body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def sensor(name: str, of: int, unit: str = "kW", resolution: str = "PT15M") -> int:
        body = {"name": name, "unit": unit, "event_resolution": resolution, "generic_asset_id": of}
        answer = served.ask("POST", "/sensors", token, json=body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    zone = asset("NL transmission zone", 6, account_id=None)
    price = sensor("day-ahead prices", zone, "EUR/MWh", "PT1H")
    building = asset("toy-building", 6)
    sensor("grid connection capacity", building)
    battery = asset("toy-battery", 5, parent_asset_id=building,
                    flex_model='{"soc-max": "450 kWh", "power-capacity": "500 kVA"}')  # fmt: skip
    solar = asset("toy-solar", 1, parent_asset_id=building)
    power, production = sensor("discharging", battery), sensor("production", solar)
    sensor("headroom", battery)
    shown = [
        {"title": "Prices", "plots": [{"asset": building, "flex-context": "consumption-price"}]},
        {"title": "Power flows", "plots": [{"sensors": [production, power]}]},
    ]
    context = {"consumption-price": {"sensor": price}, "site-power-capacity": "500 kVA"}
    for change in ({"flex_context": json.dumps(context)}, {"sensors_to_show": json.dumps(shown)}):
        answer = served.ask("PATCH", f"/assets/{building}", token, json=change)
        assert answer.status_code == 200, answer.text


@pytest.mark.skipif(FILE is None, reason="no recorded exchanges beside this checkout")
def test_the_official_clients_calls_are_answered_as_by_flexmeasures(tmp_path: Path) -> None:
    assert FILE is not None
    with at(THEN, tmp_path) as served:
        toy(served)
        player = Player(served.url, served.token(), USER, PASSWORD)
        player.play(json.loads(FILE.read_text()), EXPECTED)
    assert not player.differs, "\n".join(player.differs)
